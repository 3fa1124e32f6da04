"""kafka-python against the broker named in argv[1]: create, produce with every codec it has, consume by group, seek by time, commit and resume, describe, delete."""
import sys, time
from kafka import KafkaAdminClient, KafkaConsumer, KafkaProducer, TopicPartition
from kafka.admin import NewTopic

bootstrap = sys.argv[1]
admin = KafkaAdminClient(bootstrap_servers=bootstrap)
admin.create_topics([NewTopic("py-kafka", 1, 1)])
base = 1_700_000_000_000
sent = []
for codec in (None, "gzip"):
    producer = KafkaProducer(bootstrap_servers=bootstrap, acks="all", compression_type=codec, linger_ms=5)
    for index in range(100):
        value = f"{codec} {index}".encode()
        producer.send("py-kafka", key=b"k", value=value, timestamp_ms=base + len(sent) * 1000, headers=[("h", b"v")])
        sent.append(value)
    producer.flush(30)
    producer.close()

def consume(count):
    consumer = KafkaConsumer("py-kafka", bootstrap_servers=bootstrap, group_id="py-kafka-group", auto_offset_reset="earliest", enable_auto_commit=False, consumer_timeout_ms=20000)
    got = []
    for message in consumer:
        got.append(message.value)
        if len(got) == count:
            from kafka.structs import OffsetAndMetadata
            consumer.commit({TopicPartition("py-kafka", 0): OffsetAndMetadata(message.offset + 1, "at")})
            break
    consumer.close()
    return got

assert consume(50) == sent[:50], "first half"
assert consume(150) == sent[50:], "resumed"
reader = KafkaConsumer(bootstrap_servers=bootstrap)
partition = TopicPartition("py-kafka", 0)
found = reader.offsets_for_times({partition: base + 20_500})[partition]
assert found.offset == 21, found
assert reader.end_offsets([partition])[partition] == 200
reader.close()
assert any(group[0] == "py-kafka-group" for group in admin.list_consumer_groups())
offsets = admin.list_consumer_group_offsets("py-kafka-group")
assert offsets[partition].offset == 200 and offsets[partition].metadata == "at", offsets
admin.delete_topics(["py-kafka"])
assert "py-kafka" not in admin.list_topics()
print("ok", len(sent))
