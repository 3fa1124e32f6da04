/** @module config/keys/connect-rest — keys of a Connect worker's REST server. */
import { defineConfig, listOf, oneOf, rule } from '@millrace/sdk'

const urls = rule('List of comma-separated URLs, ex: http://localhost:8080,https://localhost:8443.', (value) => {
  const list = value as readonly string[] | null
  if (list === null || list.length === 0) return 'List of URLs must not be empty'
  return list.some((url) => url === '') ? 'Empty URL found when parsing listeners list.' : undefined
})

/** `action name: value`, comma separated; a rule with a comma in it stands in double quotes. */
const headerRules = rule(
  "Comma-separated header rules, where each header rule is of the form '[action] [header name]:[header value]' and optionally surrounded by double quotes if any part of a header rule contains a comma",
  (value) => {
    const text = typeof value === 'string' ? value.trim() : ''
    if (text === '') return undefined
    const rules = text.match(/"[^"]*"|[^,]+/g) ?? []
    const wrong = rules
      .map((one) => one.trim().replace(/^"|"$/g, ''))
      .find((one) => !/^(set|add|setDate|addDate)\s+[^\s:]+\s*:\s*\S/i.test(one))
    return wrong === undefined ? undefined : `Invalid header rule ${wrong}; expected [action] [header name]:[header value]`
  },
)

/** Keys of the REST server. Names, types and defaults are those of Kafka 4.3.1. */
export const connectRestKeys = defineConfig({
  listeners: {
    type: 'LIST',
    default: 'http://:8083',
    importance: 'LOW',
    validator: urls,
    documentation: 'Addresses that serve the REST API, http://host:port separated by commas; without a host every interface.',
  },
  'admin.listeners': { type: 'LIST', default: null, importance: 'LOW', validator: listOf() },
  'rest.advertised.host.name': {
    type: 'STRING',
    default: null,
    importance: 'LOW',
    documentation: 'Host in the name of this worker, as statuses show it.',
  },
  'rest.advertised.port': {
    type: 'INT',
    default: null,
    importance: 'LOW',
    documentation: 'Port in the name of this worker, as statuses show it.',
  },
  'rest.advertised.listener': { type: 'STRING', default: null, importance: 'LOW' },
  'rest.extension.classes': { type: 'LIST', default: '', importance: 'LOW', validator: listOf() },
  'access.control.allow.origin': { type: 'STRING', default: '', importance: 'LOW' },
  'access.control.allow.methods': { type: 'STRING', default: '', importance: 'LOW' },
  'response.http.headers.config': { type: 'STRING', default: '', importance: 'LOW', validator: headerRules },
  'ssl.client.auth': { type: 'STRING', default: 'none', importance: 'LOW', validator: oneOf('required', 'requested', 'none') },
})
