/**
 * @module connector-postgres/config-snapshot — keys that say what is captured: snapshot, filters, heartbeat. Names, types, defaults and
 * importance are Debezium's.
 */
import { defineConfig } from '@millrace/sdk'
import { notNegative, only, positive, regexes, word, wordBut } from './config-rules.ts'

const SNAPSHOT = 'Snapshot'
const FILTERS = 'Filters'
const HEARTBEAT = 'Heartbeat'

export const snapshotKeys = defineConfig({
  'snapshot.mode': {
    type: 'STRING',
    default: 'initial',
    validator: wordBut(
      ['initial', 'always', 'initial_only', 'no_data', 'never', 'when_needed'],
      [
        {
          word: 'custom',
          why: 'custom needs a Java class and is not supported; set initial, initial_only, always, no_data or when_needed',
        },
        {
          word: 'configuration_based',
          why: 'configuration_based is not supported; set the mode that does what its switches say: initial, initial_only, always, no_data or when_needed',
        },
      ],
    ),
    importance: 'MEDIUM',
    group: SNAPSHOT,
    documentation:
      'When the tables are read as a whole: initial at the first start, always at each start, initial_only at the first start and nothing after it, no_data (once: never) not at all, when_needed at the first start and when what was read cannot be gone on from.',
  },
  'snapshot.include.collection.list': {
    type: 'LIST',
    default: null,
    validator: regexes,
    importance: 'MEDIUM',
    group: SNAPSHOT,
    documentation: 'Regular expressions over schema.table: of the captured tables, only these are in the snapshot.',
  },
  'snapshot.select.statement.overrides': {
    type: 'STRING',
    default: null,
    importance: 'MEDIUM',
    group: SNAPSHOT,
    documentation:
      'Tables (schema.table, commas between) whose rows come from a SELECT of yours, in snapshot.select.statement.overrides.<table>.',
  },
  'snapshot.tables.order.by.row.count': {
    type: 'STRING',
    default: 'disabled',
    validator: word('ascending', 'descending', 'disabled'),
    importance: 'MEDIUM',
    group: SNAPSHOT,
    documentation: 'Whether tables are read in the order of their estimated size; else by name.',
  },
  'snapshot.delay.ms': {
    type: 'LONG',
    default: 0,
    validator: notNegative,
    importance: 'LOW',
    group: SNAPSHOT,
    documentation: 'Milliseconds before a snapshot begins.',
  },
  'streaming.delay.ms': {
    type: 'LONG',
    default: 0,
    validator: notNegative,
    importance: 'LOW',
    group: SNAPSHOT,
    documentation: 'Milliseconds between a snapshot and the stream.',
  },
  'snapshot.isolation.mode': {
    type: 'STRING',
    default: 'serializable',
    validator: word('read_committed', 'read_uncommitted', 'repeatable_read', 'serializable'),
    importance: 'LOW',
    group: SNAPSHOT,
    documentation: 'Taken for compatibility: a snapshot is always one REPEATABLE READ transaction, so that all tables are of one moment.',
  },
  'snapshot.locking.mode': {
    type: 'STRING',
    default: 'none',
    validator: wordBut(['none', 'shared'], [{ word: 'custom', why: 'custom needs a Java class and is not supported; set none or shared' }]),
    importance: 'LOW',
    group: SNAPSHOT,
    documentation: 'shared keeps the captured tables from being altered while the snapshot is read.',
  },
  'snapshot.lock.timeout.ms': {
    type: 'LONG',
    default: 10_000,
    validator: positive,
    importance: 'MEDIUM',
    group: SNAPSHOT,
    documentation: 'Milliseconds to wait for these locks.',
  },
  'snapshot.query.mode': {
    type: 'STRING',
    default: 'select_all',
    validator: wordBut(['select_all'], [{ word: 'custom', why: 'custom needs a Java class and is not supported; set select_all' }]),
    importance: 'LOW',
    group: SNAPSHOT,
    documentation: 'How rows are asked for: select_all.',
  },
  'snapshot.max.threads': {
    type: 'INT',
    default: 1,
    validator: positive,
    importance: 'MEDIUM',
    group: SNAPSHOT,
    documentation: 'Taken for compatibility: tables are read one after the other, by COPY.',
  },
  'snapshot.fetch.size': {
    type: 'INT',
    default: null,
    validator: notNegative,
    importance: 'MEDIUM',
    group: SNAPSHOT,
    documentation: 'Taken for compatibility: rows flow by COPY, as fast as they are taken.',
  },
  'schema.include.list': {
    type: 'LIST',
    default: null,
    validator: regexes,
    importance: 'HIGH',
    group: FILTERS,
    documentation: 'Regular expressions over schema names: only tables of these are captured.',
  },
  'schema.exclude.list': {
    type: 'LIST',
    default: null,
    validator: regexes,
    importance: 'MEDIUM',
    group: FILTERS,
    documentation: 'Regular expressions over schema names: tables of these are not captured.',
  },
  'table.include.list': {
    type: 'LIST',
    default: null,
    validator: regexes,
    importance: 'HIGH',
    group: FILTERS,
    documentation: 'Regular expressions over schema.table: only these tables are captured.',
  },
  'table.exclude.list': {
    type: 'LIST',
    default: null,
    validator: regexes,
    importance: 'MEDIUM',
    group: FILTERS,
    documentation: 'Regular expressions over schema.table: these tables are not captured.',
  },
  'column.include.list': {
    type: 'LIST',
    default: null,
    validator: regexes,
    importance: 'MEDIUM',
    group: FILTERS,
    documentation: 'Regular expressions over schema.table.column: only these columns are in events.',
  },
  'column.exclude.list': {
    type: 'LIST',
    default: null,
    validator: regexes,
    importance: 'MEDIUM',
    group: FILTERS,
    documentation: 'Regular expressions over schema.table.column: these columns are not in events.',
  },
  'table.ignore.builtin': {
    type: 'BOOLEAN',
    default: true,
    importance: 'LOW',
    group: FILTERS,
    documentation: 'Taken for compatibility: tables of the system are never captured.',
  },
  'heartbeat.interval.ms': {
    type: 'INT',
    default: 0,
    validator: notNegative,
    importance: 'MEDIUM',
    group: HEARTBEAT,
    documentation:
      'Milliseconds between records to the heartbeat topic; 0: none. The slot needs none: positions move without records, too.',
  },
  'topic.heartbeat.prefix': {
    type: 'STRING',
    default: '__debezium-heartbeat',
    importance: 'LOW',
    group: HEARTBEAT,
    documentation: 'The heartbeat topic is this, a dot and topic.prefix.',
  },
  'topic.heartbeat.name': {
    type: 'STRING',
    default: null,
    importance: 'LOW',
    group: HEARTBEAT,
    documentation: 'The heartbeat topic by its whole name.',
  },
  'heartbeat.action.query': {
    type: 'STRING',
    default: null,
    validator: only(
      '',
      'heartbeat.action.query is not supported; leave it out: an idle table never keeps the server from forgetting its log',
    ),
    importance: 'LOW',
    group: HEARTBEAT,
    documentation: 'Not supported, and not needed: positions move while the captured tables rest.',
  },
})
