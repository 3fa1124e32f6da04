/**
 * @module connector-postgres/catalog — what the server's catalog knows of types and tables, and what a relation message knows better.
 *
 * The catalog tells of now, the stream of then: the columns of a row are those of its relation message, and the catalog only adds what no
 * message has (nullability, defaults, the order of a key) for the columns that still are what they were.
 */
export { tableOfRelation } from './relation.ts'
export { readShapes, shapeOf } from './shapes.ts'
export { type CatalogTable, readTable, readTables, type TableSelection } from './tables.ts'
export { readTypes } from './types.ts'
