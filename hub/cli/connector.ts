/** @module cli/connector — `millrace connector`: lists, creates, watches and steers connectors over the REST API of a Connect worker. */
import { type CreateRequest, RestError } from '../rest/index.ts'
import { type Command, CommandError, type CommandIo } from './command.ts'
import { defineVerbs, type Verb, type VerbArguments, wrongUsage } from './connector-arguments.ts'
import { readConnector } from './connector-file.ts'
import type { RestSession } from './connector-session.ts'
import { connectorTable, offsetsTable, statusTable } from './connector-views.ts'
import { failureOf, type Goal, waitFor } from './connector-wait.ts'

const WAIT_SECONDS = { default: 30, max: 3_600 } as const

/** Options of the verbs that lead somewhere. */
const WAIT_OPTIONS = {
  wait: 'Wait until it is so.',
  'timeout SECONDS': `How long to wait (default: ${WAIT_SECONDS.default}).`,
} as const

const list: Verb = {
  summary: 'List the connectors with their states.',
  options: {},
  async run({ rest, asJson, print }, _given, io) {
    const connectors = await rest.connectors(io.signal)
    if (Object.keys(connectors).length === 0 && !asJson)
      io.stderr.write('There are no connectors; millrace connector create FILE makes one.\n')
    else print(connectors, connectorTable(connectors))
    return 0
  },
}

const create: Verb = {
  subject: 'FILE',
  summary: 'Create a connector from a .json, .properties or .yaml file; - is stdin.',
  options: {
    'name NAME': "The connector's name, instead of the file's.",
    'initial-state STATE': 'running, paused or stopped (default: running).',
    update: 'Replace the configuration when the connector is there already.',
    ...WAIT_OPTIONS,
  },
  async run(session, given, io) {
    const request = await requestOf(given, io)
    const waitMs = waitMsOf(given)
    const { isNew, info } = await createOrUpdate(session, request, given.flag('update'), io)
    const text = `${isNew ? 'Created' : 'Updated'} connector ${info.name}.\n`
    // Only a new connector takes the initial state; one that was there keeps its target state.
    const state = request.initial_state
    const goal = isNew && (state === 'PAUSED' || state === 'STOPPED') ? state : 'RUNNING'
    return finish(session, { name: info.name, text, json: info, goal, waitMs }, io)
  },
}

async function requestOf(given: VerbArguments, io: CommandIo): Promise<CreateRequest> {
  const description = await readConnector(given.subject, io)
  const name = given.text('name') ?? description.name
  if (name === undefined || name === '') throw new CommandError(`${given.subject} names no connector; give --name NAME`, 2)
  const state = (given.text('initial-state') ?? description.initialState)?.toUpperCase()
  if (state !== undefined && state !== 'RUNNING' && state !== 'PAUSED' && state !== 'STOPPED') {
    throw wrongUsage(`${state.toLowerCase()} is no initial state; it is running, paused or stopped`)
  }
  return { name, config: { ...description.config, name }, ...(state === undefined ? {} : { initial_state: state }) }
}

/** With `isUpdate` a connector that is there gets the configuration; an initial state holds for a new one only. */
async function createOrUpdate({ rest }: RestSession, request: CreateRequest, isUpdate: boolean, io: CommandIo) {
  if (isUpdate && request.initial_state === undefined) return rest.putConfig(request.name, request.config, io.signal)
  try {
    return { isNew: true, info: await rest.create(request, io.signal) }
  } catch (error) {
    if (!isUpdate || !(error instanceof RestError && error.status === 409)) throw error
    return rest.putConfig(request.name, request.config, io.signal)
  }
}

const status: Verb = {
  subject: 'NAME',
  summary: 'Show states of a connector and its tasks; exit code 1 if one failed.',
  options: {},
  async run({ rest, print }, { subject: name }, io) {
    const found = await rest.status(name, io.signal)
    if (found === undefined) throw new RestError(404, `Connector ${name} not found`)
    print(found, statusTable(found))
    return failureOf(found) === undefined ? 0 : 1
  },
}

/** A verb that sends a connector somewhere. */
function steer(
  summary: string,
  done: string,
  goal: Goal,
  act: (session: RestSession, name: string, signal: AbortSignal) => Promise<void>,
): Verb {
  return {
    subject: 'NAME',
    summary,
    options: WAIT_OPTIONS,
    async run(session, given, io) {
      const waitMs = waitMsOf(given)
      const name = given.subject
      await act(session, name, io.signal)
      return finish(session, { name, text: `${done} connector ${name}.\n`, json: { name, request: done.toLowerCase() }, goal, waitMs }, io)
    },
  }
}

const restart: Verb = {
  subject: 'NAME',
  summary: 'Restart a connector, with its tasks if asked.',
  options: { 'include-tasks': 'Restart its tasks too.', 'only-failed': 'Restart only what has failed.', ...WAIT_OPTIONS },
  async run(session, given, io) {
    const waitMs = waitMsOf(given)
    const name = given.subject
    const what = { includeTasks: given.flag('include-tasks'), onlyFailed: given.flag('only-failed') }
    const plan = await session.rest.restart(name, what, io.signal)
    const marked = plan === undefined ? [] : [plan.connector, ...plan.tasks].filter(({ state }) => state === 'RESTARTING')
    const text = plan !== undefined && marked.length === 0 ? `Nothing of connector ${name} has failed.\n` : `Restarted connector ${name}.\n`
    return finish(session, { name, text, json: plan ?? { name, request: 'restarted' }, goal: 'RUNNING', waitMs }, io)
  },
}

const offsets: Verb = {
  subject: 'NAME',
  summary: 'Show how far a connector has come.',
  options: {},
  async run({ rest, asJson, print }, { subject: name }, io) {
    const found = await rest.offsets(name, io.signal)
    if (found.offsets.length === 0 && !asJson) io.stderr.write(`Connector ${name} has no offsets yet.\n`)
    else print(found, offsetsTable(found))
    return 0
  },
}

/** Says what was done, after the wait if one was asked for. */
async function finish(
  session: RestSession,
  done: { readonly name: string; readonly text: string; readonly json: unknown; readonly goal: Goal; readonly waitMs: number | undefined },
  io: CommandIo,
): Promise<number> {
  const { name, text, json, goal, waitMs } = done
  if (!session.asJson) io.stdout.write(text)
  const reached = waitMs === undefined ? undefined : await waitFor(session.rest, name, goal, waitMs, io)
  if (session.asJson) session.print(reached ?? json, '')
  else if (reached !== undefined) io.stdout.write(statusTable(reached))
  return 0
}

/** undefined: no wait. */
function waitMsOf(given: VerbArguments): number | undefined {
  const text = given.text('timeout')
  const seconds = text === undefined ? WAIT_SECONDS.default : Number(text)
  if (!(seconds > 0 && seconds <= WAIT_SECONDS.max)) throw wrongUsage(`--timeout takes seconds, at most ${WAIT_SECONDS.max}, not ${text}`)
  return given.flag('wait') ? seconds * 1_000 : undefined
}

/** `millrace connector` */
export const connector: Command = defineVerbs('connector', 'Lists, creates, watches and steers connectors.', {
  list,
  create,
  status,
  pause: steer('Pause a connector: its tasks stay and do nothing.', 'Paused', 'PAUSED', ({ rest }, name, signal) =>
    rest.pause(name, signal),
  ),
  resume: steer('Resume a paused or stopped connector.', 'Resumed', 'RUNNING', ({ rest }, name, signal) => rest.resume(name, signal)),
  stop: steer('Stop a connector: its tasks end, its offsets stay.', 'Stopped', 'STOPPED', ({ rest }, name, signal) =>
    rest.stop(name, signal),
  ),
  restart,
  delete: steer('Delete a connector; its offsets stay.', 'Deleted', 'gone', ({ rest }, name, signal) => rest.delete(name, signal)),
  offsets,
})
