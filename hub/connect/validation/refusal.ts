/** @module connect/validation/refusal — what a create or a change is answered with when its configuration is wrong. */
import type { ConfigInfos } from '../types.ts'

/** Kafka Connect's text, which clients compare: a line for each error. `infos` has at least one. */
export function invalidConfigMessage(infos: ConfigInfos): string {
  const errors = infos.configs.flatMap(({ value }) => value.errors)
  return [
    `Connector configuration is invalid and contains the following ${errors.length} error(s):`,
    ...errors,
    'You can also find the above list of errors at the endpoint `/connector-plugins/{connectorType}/config/validate`',
  ].join('\n')
}
