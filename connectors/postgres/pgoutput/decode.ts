/** @module connector-postgres/pgoutput/decode — one message of protocol version 1. */
import {
  NULL_TEXT,
  type OldRowKind,
  type PgOutputMessage,
  type RelationMessage,
  type ReplicaIdentity,
  type RowText,
  UNCHANGED_TEXT,
} from '../model.ts'
import { MessageReader, PgOutputError } from './reader.ts'

/** The letters that open a message. */
const Letter = {
  begin: 0x42,
  commit: 0x43,
  delete: 0x44,
  insert: 0x49,
  message: 0x4d,
  origin: 0x4f,
  relation: 0x52,
  truncate: 0x54,
  update: 0x55,
  type: 0x59,
} as const

/** The letters that say which row follows. */
const RowLetter = { key: 0x4b, new: 0x4e, old: 0x4f } as const

/** The letters that say what a value is. */
const ValueLetter = { null: 0x6e, text: 0x74, unchanged: 0x75 } as const

const replicaIdentities: Readonly<Record<string, ReplicaIdentity>> = { d: 'default', n: 'nothing', f: 'full', i: 'index' }

/**
 * Decodes one message. Rows and the content of a logical message stay views into `bytes`; nothing else is kept. Throws
 * {@link PgOutputError} for whatever is not exactly a message of protocol version 1: a byte missing or too many, a letter of a later
 * version (streamed or prepared transactions), a value in binary form.
 */
export function decodeMessage(bytes: Buffer): PgOutputMessage {
  const reader = new MessageReader(bytes)
  const message = messageOf(reader, reader.uint8())
  reader.end()
  return message
}

function messageOf(reader: MessageReader, letter: number): PgOutputMessage {
  switch (letter) {
    case Letter.insert:
      return { kind: 'insert', relationOid: reader.uint32(), row: newRow(reader) }
    case Letter.update:
      return update(reader)
    case Letter.delete:
      return deletion(reader)
    case Letter.begin:
      return { kind: 'begin', commitLsn: reader.lsn(), timeUs: reader.timeUs(), xid: reader.uint32() }
    case Letter.commit:
      reader.take(1) // flags: none is defined
      return { kind: 'commit', commitLsn: reader.lsn(), endLsn: reader.lsn(), timeUs: reader.timeUs() }
    case Letter.relation:
      return relation(reader)
    case Letter.type:
      return { kind: 'type', oid: reader.uint32(), schema: reader.text(), name: reader.text() }
    case Letter.origin:
      return { kind: 'origin', lsn: reader.lsn(), name: reader.text() }
    case Letter.truncate:
      return truncation(reader)
    case Letter.message:
      return logicalMessage(reader)
    default:
      throw new PgOutputError(`an unknown kind of message, ${shown(letter)},`, 0)
  }
}

function update(reader: MessageReader): PgOutputMessage {
  const relationOid = reader.uint32()
  const letter = reader.bytes[reader.offset]
  if (letter === RowLetter.new) return { kind: 'update', relationOid, oldKind: null, old: null, row: newRow(reader) }
  const oldKind = oldRowKind(reader)
  const old = row(reader)
  return { kind: 'update', relationOid, oldKind, old, row: newRow(reader) }
}

function deletion(reader: MessageReader): PgOutputMessage {
  const relationOid = reader.uint32()
  const oldKind = oldRowKind(reader)
  return { kind: 'delete', relationOid, oldKind, old: row(reader) }
}

function oldRowKind(reader: MessageReader): OldRowKind {
  const letter = reader.uint8()
  if (letter === RowLetter.key) return 'key'
  if (letter === RowLetter.old) return 'full'
  throw new PgOutputError(`neither an old row nor its key but ${shown(letter)}`, reader.offset - 1)
}

function newRow(reader: MessageReader): RowText {
  const letter = reader.uint8()
  if (letter !== RowLetter.new) throw new PgOutputError(`not a new row but ${shown(letter)}`, reader.offset - 1)
  return row(reader)
}

/** A row: the bounds of its values are found, the values stay where they are. */
function row(reader: MessageReader): RowText {
  const { bytes } = reader
  const columnCount = reader.uint16()
  // The least that a column takes is its letter: more columns than bytes are damage, found before memory is asked for.
  if (columnCount > bytes.length - reader.offset) throw new PgOutputError(`${columnCount} columns`, reader.offset)
  const bounds = freshBounds(2 * columnCount)
  for (let at = 0; at < bounds.length; at += 2) {
    const letter = reader.uint8()
    if (letter === ValueLetter.text) {
      const byteCount = reader.uint32()
      bounds[at] = reader.take(byteCount)
      bounds[at + 1] = reader.offset
    } else if (letter === ValueLetter.null) bounds[at] = NULL_TEXT
    else if (letter === ValueLetter.unchanged) bounds[at] = UNCHANGED_TEXT
    else throw new PgOutputError(`not a value in text form but ${shown(letter)}`, reader.offset - 1)
  }
  return { bytes, bounds }
}

/** Integers of a slab; memory of its own for each row would cost ten times as much as all else that decoding does. */
const SLAB_LENGTH = 16_384
let slab = new Int32Array(SLAB_LENGTH)
let slabUsed = 0

/** Zeros that nobody else has: a part of the slab that was never given away. */
function freshBounds(length: number): Int32Array {
  if (length > SLAB_LENGTH - slabUsed) {
    slab = new Int32Array(Math.max(SLAB_LENGTH, length))
    slabUsed = 0
  }
  const bounds = new Int32Array(slab.buffer, slabUsed * Int32Array.BYTES_PER_ELEMENT, length)
  slabUsed += length
  return bounds
}

function relation(reader: MessageReader): RelationMessage {
  const oid = reader.uint32()
  // The protocol leaves the name of pg_catalog away.
  const schema = reader.text() || 'pg_catalog'
  const name = reader.text()
  const letter = reader.uint8()
  const replicaIdentity = replicaIdentities[String.fromCharCode(letter)]
  if (replicaIdentity === undefined) throw new PgOutputError(`an unknown replica identity, ${shown(letter)},`, reader.offset - 1)
  const columnCount = reader.uint16()
  const columns: RelationMessage['columns'][number][] = []
  for (let index = 0; index < columnCount; index++) {
    columns.push({
      isKey: (reader.uint8() & 1) === 1,
      name: reader.text(),
      typeOid: reader.uint32(),
      typeModifier: reader.int32(),
    })
  }
  return { kind: 'relation', oid, schema, name, replicaIdentity, columns }
}

function truncation(reader: MessageReader): PgOutputMessage {
  const relationCount = reader.uint32()
  const flags = reader.uint8()
  if (relationCount > (reader.bytes.length - reader.offset) / 4) throw new PgOutputError(`${relationCount} tables`, 1)
  const relationOids: number[] = []
  for (let index = 0; index < relationCount; index++) relationOids.push(reader.uint32())
  return { kind: 'truncate', relationOids, isCascade: (flags & 1) !== 0, isRestartIdentity: (flags & 2) !== 0 }
}

function logicalMessage(reader: MessageReader): PgOutputMessage {
  const isTransactional = (reader.uint8() & 1) === 1
  const lsn = reader.lsn()
  const prefix = reader.text()
  const byteCount = reader.uint32()
  const start = reader.take(byteCount)
  return { kind: 'message', isTransactional, lsn, prefix, content: reader.bytes.subarray(start, start + byteCount) }
}

function shown(letter: number): string {
  return letter > 0x20 && letter < 0x7f ? `"${String.fromCharCode(letter)}"` : `0x${letter.toString(16).padStart(2, '0')}`
}
