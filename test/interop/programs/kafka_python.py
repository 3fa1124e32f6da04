"""kafka-python against the broker named in argv[1], with the codecs named after it: create, produce, consume by group, seek by time, commit and resume, describe, delete."""
import sys
from kafka import KafkaAdminClient, KafkaConsumer, KafkaProducer, TopicPartition
from kafka.admin import ConfigResource, ConfigResourceType, NewTopic
from kafka.structs import OffsetAndMetadata

bootstrap, codecs = sys.argv[1], sys.argv[2:]
topic = "-".join(["py-kafka", *codecs])
group = f"{topic}-group"
partition = TopicPartition(topic, 0)
admin = KafkaAdminClient(bootstrap_servers=bootstrap)
# The records are years old: without this they would be due for deletion.
admin.create_topics([NewTopic(topic, 1, 1, topic_configs={"retention.ms": "-1"})])
base = 1_700_000_000_000
sent = []
for codec in codecs:
    producer = KafkaProducer(bootstrap_servers=bootstrap, acks="all", compression_type=None if codec == "none" else codec, linger_ms=5)
    acknowledged = []
    for index in range(100):
        value = f"{codec} {index} {'x' * 100}".encode()
        acknowledged.append(producer.send(topic, key=b"k", value=value, timestamp_ms=base + len(sent) * 1000, headers=[("h", b"v")]))
        sent.append(value)
    producer.flush(30)
    for future in acknowledged:
        future.get(30)
    producer.close()

def consume(count):
    consumer = KafkaConsumer(topic, bootstrap_servers=bootstrap, group_id=group, auto_offset_reset="earliest", enable_auto_commit=False, consumer_timeout_ms=20000)
    got = []
    for message in consumer:
        got.append(message.value)
        if len(got) == count:
            consumer.commit({partition: OffsetAndMetadata(message.offset + 1, "at")})
            break
    consumer.close()
    return got

assert consume(50) == sent[:50], "first part"
assert consume(len(sent) - 50) == sent[50:], "resumed"
assert admin.list_consumer_group_offsets(group)[partition] == OffsetAndMetadata(len(sent), "at")

def read(consumer):
    """What is delivered from where the consumer stands to the end: (offset, timestamp, value) each."""
    got = []
    for message in consumer:
        got.append((message.offset, message.timestamp, message.value))
        if message.offset == len(sent) - 1:
            break
    return got

records = [(offset, base + offset * 1000, value) for offset, value in enumerate(sent)]
reader = KafkaConsumer(bootstrap_servers=bootstrap, consumer_timeout_ms=20000)
reader.assign([partition])
assert reader.end_offsets([partition])[partition] == len(sent)
# Between two records, exactly at one, before all, in the last batch, in any order.
for time, first in ((base + 20_500, 21), (base + (len(sent) - 3) * 1000, len(sent) - 3), (base - 1, 0), (base + 50_000, 50)):
    found = reader.offsets_for_times({partition: time})[partition]
    assert found == (first, base + first * 1000), (time, found)
    reader.seek(partition, found.offset)
    assert read(reader) == records[first:], time
assert reader.offsets_for_times({partition: base + len(sent) * 1000})[partition] is None
reader.close()

assert any(listed[0] == group for listed in admin.list_consumer_groups())
described = admin.describe_consumer_groups([group])[0]
assert (described.group, described.state) == (group, "Empty"), described
assert [len(found["partitions"]) for found in admin.describe_topics([topic])] == [1]
config = admin.describe_configs([ConfigResource(ConfigResourceType.TOPIC, topic)])[0].resources[0]
assert any(entry[:2] == ("retention.ms", "-1") for entry in config[4]), config
admin.delete_consumer_groups([group])
assert not any(listed[0] == group for listed in admin.list_consumer_groups())
admin.delete_topics([topic])
assert topic not in admin.list_topics()
admin.close()
print("ok", len(sent))
