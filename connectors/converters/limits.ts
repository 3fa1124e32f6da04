/** @module converters/limits — what converters take. Beyond: a DataError. */

export const converterLimits = {
  /** Schemas inside each other. */
  schemaLevels: 100,
} as const
