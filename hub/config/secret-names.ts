/** @module config/secret-names — which settings hold secrets. */
import type { ConfigDefinition } from '@millrace/sdk'

/** Whether a key's value is a secret: of type PASSWORD where the definition knows the key, else when it is named like one. */
export function isSecretOf(definition: ConfigDefinition, name: string): boolean {
  const key = Object.hasOwn(definition, name) ? definition[name] : undefined
  return key === undefined ? /(^|[._-])(password|secret|credential|token|jaas)s?([._-]|$)/i.test(name) : key.type === 'PASSWORD'
}
