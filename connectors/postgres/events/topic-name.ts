/**
 * @module connector-postgres/events/topic-name — the topic of a table, which is the stem of its schemas' names as well.
 */

/** UTF-16 units of a topic's name; Kafka's limit. */
const topicNameLengthMax = 249

/**
 * `prefix.schema.table`. A character that Kafka does not allow in names of topics becomes `_`, one for each UTF-16 unit; what is too long
 * is cut, and a part of blanks alone is passed over. Two tables may thus meet in one topic (`"Tab le"` and `"Tab_le"`), as with Debezium's SchemaTopicNamingStrategy.
 */
export function topicName(prefix: string, delimiter: string, schema: string, table: string): string {
  const parts = [prefix, schema, table].filter((part) => part.trim() !== '')
  return parts
    .join(delimiter)
    .replaceAll(/[^A-Za-z0-9._-]/g, '_')
    .slice(0, topicNameLengthMax)
}
