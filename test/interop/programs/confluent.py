"""confluent-kafka (librdkafka) against the broker named in argv[1]: create, produce with every codec, consume by group, seek by time, commit and resume, describe, delete."""
import sys
from confluent_kafka import OFFSET_END, Consumer, Producer, TopicPartition
from confluent_kafka.admin import AdminClient, ConfigResource, NewTopic

bootstrap = sys.argv[1]
admin = AdminClient({"bootstrap.servers": bootstrap})
# The records are years old: without this they would be due for deletion.
admin.create_topics([NewTopic("rdk", num_partitions=1, replication_factor=1, config={"retention.ms": "-1"})])["rdk"].result(30)
base = 1_700_000_000_000
sent = []
errors = []
for codec in ("none", "gzip", "snappy", "lz4", "zstd"):
    producer = Producer({"bootstrap.servers": bootstrap, "compression.type": codec, "enable.idempotence": True, "acks": "all"})
    for index in range(100):
        value = f"{codec} {index} {'x' * 100}".encode()
        producer.produce("rdk", key=b"k", value=value, timestamp=base + len(sent) * 1000, headers=[("h", b"v")], on_delivery=lambda error, message: error and errors.append(error))
        sent.append(value)
    assert producer.flush(30) == 0
assert errors == [], errors

def consume(count):
    consumer = Consumer({"bootstrap.servers": bootstrap, "group.id": "rdk-group", "auto.offset.reset": "earliest", "enable.auto.commit": False})
    consumer.subscribe(["rdk"])
    got = []
    for _ in range(600):
        message = consumer.poll(0.1)
        if message is None:
            continue
        assert message.error() is None, message.error()
        got.append(message.value())
        if len(got) == count:
            consumer.commit(message=message, asynchronous=False)
            break
    consumer.close()
    return got

assert consume(200) == sent[:200], "first part"
assert consume(300) == sent[200:], "resumed"

def read(consumer):
    """What is delivered from where the consumer stands to the end: (offset, timestamp, value) each."""
    got = []
    for _ in range(600):
        message = consumer.poll(0.1)
        if message is None:
            continue
        assert message.error() is None, message.error()
        got.append((message.offset(), message.timestamp()[1], message.value()))
        if message.offset() == len(sent) - 1:
            break
    return got

records = [(offset, base + offset * 1000, value) for offset, value in enumerate(sent)]
reader = Consumer({"bootstrap.servers": bootstrap, "group.id": "rdk-other", "enable.auto.commit": False})
assert reader.get_watermark_offsets(TopicPartition("rdk", 0), timeout=20) == (0, 500)
assert reader.committed([TopicPartition("rdk", 0)], timeout=20)[0].offset == -1001
# Between two records, exactly at one, before all, in a batch of each codec; the first by assignment, the others by seek.
for index, (time, first) in enumerate(((base + 20_500, 21), (base + 497_000, 497), (base - 1, 0), (base + 150_000, 150), (base + 250_001, 251), (base + 349_999, 350))):
    found = reader.offsets_for_times([TopicPartition("rdk", 0, time)], timeout=20)
    assert [(place.offset, place.error) for place in found] == [(first, None)], found
    if index == 0:
        reader.assign(found)
    else:
        reader.seek(found[0])
    assert read(reader) == records[first:], time
assert reader.offsets_for_times([TopicPartition("rdk", 0, base + 500_000)], timeout=20)[0].offset == OFFSET_END
reader.close()
config = admin.describe_configs([ConfigResource("topic", "rdk")])
entries = list(config.values())[0].result(30)
assert entries["cleanup.policy"].value == "delete"
assert entries["retention.ms"].value == "-1"
assert len(admin.list_topics("rdk", timeout=20).topics["rdk"].partitions) == 1
assert any(group.id == "rdk-group" for group in admin.list_groups(timeout=20))
admin.delete_topics(["rdk"])["rdk"].result(30)
assert "rdk" not in admin.list_topics(timeout=20).topics
print("ok", len(sent))
