"""Transactions of confluent-kafka (librdkafka) against the broker named in argv[1]: copy a topic in transactions, some of which are aborted; read what is committed; be fenced."""
import sys
from confluent_kafka import Consumer, KafkaException, Producer, TopicPartition
from confluent_kafka.admin import AdminClient, NewTopic

bootstrap = sys.argv[1]
admin = AdminClient({"bootstrap.servers": bootstrap})
for future in admin.create_topics([NewTopic(name, num_partitions=2, replication_factor=1) for name in ("tx-in", "tx-out")]).values():
    future.result(30)

def transactional(transactional_id):
    producer = Producer({"bootstrap.servers": bootstrap, "transactional.id": transactional_id})
    producer.init_transactions(30)
    return producer

source = Producer({"bootstrap.servers": bootstrap})
for number in range(40):
    source.produce("tx-in", key=b"k", value=str(number).encode(), partition=number % 2)
assert source.flush(30) == 0

# Copies by tens; the first try of each is aborted, so that its records and offsets must not count.
consumer = Consumer({"bootstrap.servers": bootstrap, "group.id": "tx-copier", "auto.offset.reset": "earliest", "enable.auto.commit": False, "isolation.level": "read_committed"})
consumer.subscribe(["tx-in"])
producer = transactional("tx-copier")
copied = []
while len(copied) < 40:
    messages = consumer.consume(10, timeout=1)
    if not messages:
        continue
    assert all(message.error() is None for message in messages), [message.error() for message in messages]
    for is_commit in (False, True):
        producer.begin_transaction()
        for message in messages:
            producer.produce("tx-out", key=message.key(), value=message.value() if is_commit else b"aborted", partition=message.partition())
        producer.send_offsets_to_transaction(consumer.position(consumer.assignment()), consumer.consumer_group_metadata(), 30)
        if is_commit:
            producer.commit_transaction(30)
        else:
            producer.flush(30)
            producer.abort_transaction(30)
    copied += [message.value() for message in messages]
committed = consumer.committed([TopicPartition("tx-in", 0), TopicPartition("tx-in", 1)], timeout=30)
assert [position.offset for position in committed] == [20, 20], committed
consumer.close()

def read(isolation, count):
    reader = Consumer({"bootstrap.servers": bootstrap, "group.id": f"tx-{isolation}", "auto.offset.reset": "earliest", "enable.auto.commit": False, "isolation.level": isolation})
    reader.subscribe(["tx-out"])
    got = []
    for _ in range(300):
        message = reader.poll(0.1)
        if message is None:
            if len(got) >= count:
                break
            continue
        assert message.error() is None, message.error()
        got.append(message.value())
    reader.close()
    return got

assert sorted(read("read_committed", 40)) == sorted(copied)
assert len(read("read_uncommitted", 80)) == 80

# Who comes later with the same id fences who came before.
producer.begin_transaction()
producer.produce("tx-out", value=b"late", partition=0)
producer.flush(30)
fresh = transactional("tx-copier")
try:
    producer.commit_transaction(30)
    raise AssertionError("the producer was not fenced")
except KafkaException as error:
    assert error.args[0].fatal(), error
fresh.begin_transaction()
fresh.produce("tx-out", value=b"fresh", partition=0)
fresh.commit_transaction(30)
assert sorted(read("read_committed", 41)) == sorted(copied + [b"fresh"])
print("ok", len(copied))
