/**
 * @module connector-postgres/values/geometry — the geometric types of the server, and those of PostGIS.
 *
 * Source: Debezium's `io.debezium.data.geometry`: coordinates, and well-known binary (OGC 06-103r4) with the lowest byte first. What
 * well-known binary cannot say (which type it was, whether a path is closed) stands in `extensions`.
 */
import {
  bytes as bytesSchema,
  float64,
  int32,
  map,
  type Schema,
  string,
  struct,
  structMaker,
  type StructMaker,
  type Value,
} from '@millrace/sdk'
import { doubleOf } from './floats.ts'
import { asciiText, MalformedText, type TypeCodec, type TypeContext } from './type-codec.ts'

const wkbPoint = 1
const wkbLineString = 2
const wkbPolygon = 3

function pointSchema(isOptional: boolean): Schema {
  return struct(
    { x: float64(), y: float64(), wkb: bytesSchema({ optional: true }), srid: int32({ optional: true }) },
    { name: 'io.debezium.data.geometry.Point', version: 1, doc: 'Geometry (POINT)', ...(isOptional ? { optional: true } : {}) },
  )
}

/** Optional whatever the column is, as upstream's. */
function geometrySchema(): Schema {
  return struct(
    { wkb: bytesSchema(), srid: int32({ optional: true }), extensions: map(string(), string(), { optional: true }) },
    { name: 'io.debezium.data.geometry.Geometry', version: 2, doc: 'Geometry', optional: true },
  )
}

/** The numbers in the text, whatever parts them. @throws MalformedText unless there are `count` of them, or for 0 an even number but none */
function coordinatesOf(bytes: Buffer, start: number, end: number, count: number): number[] {
  const numbers: number[] = []
  let first = -1
  for (let at = start; at <= end; at++) {
    if (at < end && !isSeparator(bytes[at]!)) {
      if (first < 0) first = at
    } else if (first >= 0) {
      numbers.push(doubleOf(bytes, first, at))
      first = -1
    }
  }
  if (count > 0 ? numbers.length !== count : numbers.length === 0 || numbers.length % 2 !== 0) throw new MalformedText()
  return numbers
}

/** `(),<>[]{}` */
function isSeparator(byte: number): boolean {
  return (
    byte === 0x28 ||
    byte === 0x29 ||
    byte === 0x2c ||
    byte === 0x3c ||
    byte === 0x3e ||
    byte === 0x5b ||
    byte === 0x5d ||
    byte === 0x7b ||
    byte === 0x7d
  )
}

/** A point, a line of points, or the one ring of a polygon. */
function wkbOf(kind: number, coordinates: readonly number[]): Buffer {
  const counts = kind === wkbPoint ? [] : kind === wkbLineString ? [coordinates.length / 2] : [1, coordinates.length / 2]
  const wkb = Buffer.alloc(5 + 4 * counts.length + 8 * coordinates.length)
  wkb[0] = 1
  let at = wkb.writeUInt32LE(kind, 1)
  for (const count of counts) at = wkb.writeUInt32LE(count, at)
  for (const coordinate of coordinates) at = wkb.writeDoubleLE(coordinate, at)
  return wkb
}

function pointValue(make: StructMaker, x: number, y: number): Value {
  return make([x, y, wkbOf(wkbPoint, [x, y]), null])
}

/** The codec of point. */
export function pointCodec({ isOptional }: TypeContext): TypeCodec {
  const schema = pointSchema(isOptional)
  const make = structMaker(schema)
  const parse = (bytes: Buffer, start: number, end: number): Value => {
    const [x, y] = coordinatesOf(bytes, start, end, 2) as [number, number]
    return pointValue(make, x, y)
  }
  return { schema, parse, fallback: pointValue(make, 0, 0) }
}

/** The codec of line, whose text is the coefficients of Ax + By + C = 0. A line has no A and B that are both zero. */
export function lineCodec(): TypeCodec {
  const schema = struct(
    { a: float64(), b: float64(), c: float64() },
    { name: 'io.debezium.data.geometry.Line', version: 1, doc: 'Geometry (LINE)', optional: true },
  )
  const make = structMaker(schema)
  return { schema, parse: (bytes, start, end) => make(coordinatesOf(bytes, start, end, 3)), fallback: make([0, 1, 0]) }
}

/** The codec of circle: `<(1,2),3>`. */
export function circleCodec(): TypeCodec {
  const center = pointSchema(false)
  const schema = struct(
    { center, radius: float64() },
    { name: 'io.debezium.data.geometry.Circle', version: 1, doc: 'Geometry (CIRCLE)', optional: true },
  )
  const makeCenter = structMaker(center)
  const make = structMaker(schema)
  const parse = (bytes: Buffer, start: number, end: number): Value => {
    const [x, y, radius] = coordinatesOf(bytes, start, end, 3) as [number, number, number]
    return make([pointValue(makeCenter, x, y), radius])
  }
  return { schema, parse, fallback: make([pointValue(makeCenter, 0, 0), 0]) }
}

/** A type that becomes a Geometry: the shape of its coordinates, and what stands in for an unknown one (a shape that PostGIS accepts). */
interface ShapeType {
  readonly kind: number
  /** 0: any even number. */
  readonly coordinateCount: number
  readonly ring: (coordinates: readonly number[]) => readonly number[]
  readonly fallback: readonly number[]
}

const same = (coordinates: readonly number[]): readonly number[] => coordinates

const shapes: Readonly<Record<'lseg' | 'box' | 'path' | 'polygon', ShapeType>> = {
  lseg: { kind: wkbLineString, coordinateCount: 4, ring: same, fallback: [0, 0, 1, 0] },
  box: { kind: wkbPolygon, coordinateCount: 4, ring: ringOfBox, fallback: [0, 0, 0, 1, 1, 1, 1, 0, 0, 0] },
  path: { kind: wkbLineString, coordinateCount: 0, ring: same, fallback: [0, 0, 1, 0] },
  polygon: { kind: wkbPolygon, coordinateCount: 0, ring: closedRing, fallback: [0, 0, 1, 0, 0, 1, 0, 0] },
}

/** The two corners that a box is written by, as the five points of a ring. */
function ringOfBox(corners: readonly number[]): readonly number[] {
  const [x1, y1, x2, y2] = corners as readonly [number, number, number, number]
  return [x1, y1, x1, y2, x2, y2, x2, y1, x1, y1]
}

function closedRing(coordinates: readonly number[]): readonly number[] {
  const [x, y] = coordinates as readonly [number, number]
  const isClosed = coordinates.at(-2) === x && coordinates.at(-1) === y
  return isClosed || coordinates.length < 4 ? coordinates : [...coordinates, x, y]
}

/** The codec of lseg, box, path or polygon. */
export function shapeCodec(name: keyof typeof shapes, { settings }: TypeContext): TypeCodec {
  const { kind, coordinateCount, ring, fallback } = shapes[name]
  const schema = geometrySchema()
  const make = structMaker(schema)
  const parse = (bytes: Buffer, start: number, end: number): Value => {
    const wkb = wkbOf(kind, ring(coordinatesOf(bytes, start, end, coordinateCount)))
    const extensions = new Map([['type', name as string]])
    if (name === 'path') extensions.set('closed', String(bytes[start] !== 0x5b))
    return make([wkb, null, extensions])
  }
  return {
    schema,
    parse,
    fallback: make([wkbOf(kind, fallback), null, new Map([['type', name as string]])]),
    unavailable: make([settings.unavailablePlaceholder, null, null]),
  }
}

/** An empty collection of geometries. */
const emptyCollection = '010700000000000000'
/** PostGIS's flag for a reference system in the type of its extended well-known binary. */
const sridFlag = 0x20000000

/** The codec of PostGIS's geometry and geography: their text is extended well-known binary in hexadecimal. */
export function postgisCodec(name: 'geometry' | 'geography', { isOptional, settings }: TypeContext): TypeCodec {
  const isGeometry = name === 'geometry'
  const schema = isGeometry
    ? geometrySchema()
    : struct(
        { wkb: bytesSchema(), srid: int32({ optional: true }) },
        { name: 'io.debezium.data.geometry.Geography', version: 1, doc: 'Geography', ...(isOptional ? { optional: true } : {}) },
      )
  const make = structMaker(schema)
  const structOfHex = (hex: string): Value => {
    const wkb = Buffer.from(hex, 'hex')
    if (wkb.length < 9 || wkb.length * 2 !== hex.length) throw new MalformedText()
    return make(isGeometry ? [wkb, sridOf(wkb), null] : [wkb, sridOf(wkb)])
  }
  const placeholder = settings.unavailablePlaceholder
  return {
    schema,
    parse: (bytes, start, end) => structOfHex(asciiText(bytes, start, end)),
    fallback: structOfHex(emptyCollection),
    unavailable: make(isGeometry ? [placeholder, null, null] : [placeholder, null]),
  }
}

function sridOf(wkb: Buffer): number | null {
  const isLittleEndian = wkb[0] !== 0
  const kind = isLittleEndian ? wkb.readUInt32LE(1) : wkb.readUInt32BE(1)
  if ((kind & sridFlag) === 0) return null
  return isLittleEndian ? wkb.readInt32LE(5) : wkb.readInt32BE(5)
}
