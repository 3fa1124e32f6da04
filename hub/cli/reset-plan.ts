/** @module cli/reset-plan — the CSV that `--from-file` reads and `--export` writes: `topic,partition,offset`, or with the group in front. Pure. */
import type { TopicPartition } from '../client/index.ts'

/** Offsets by group. With one group asked for, the lines may leave it out. @throws Error that names a bad line */
export function parseResetPlan(text: string, groupIds: readonly string[]): Map<string, (TopicPartition & { offset: number })[]> {
  const plan = new Map<string, (TopicPartition & { offset: number })[]>()
  const [onlyGroup] = groupIds.length === 1 ? groupIds : []
  for (const [index, line] of text.split(/\r?\n/).entries()) {
    if (line.trim() === '') continue
    const fields = csvFields(line)
    const [groupId, topic, partition, offset] = fields.length === 3 && onlyGroup !== undefined ? [onlyGroup, ...fields] : fields
    const isWhole = groupId !== undefined && topic !== undefined && isNumber(partition) && isNumber(offset)
    if (!isWhole || fields.length > 4) {
      const form = onlyGroup === undefined ? 'group,topic,partition,offset' : 'topic,partition,offset'
      throw new Error(`line ${index + 1} of the file is not ${form}: ${line}`)
    }
    const list = plan.get(groupId) ?? []
    plan.set(groupId, list)
    list.push({ topic, partition: Number(partition), offset: Number(offset) })
  }
  return plan
}

function isNumber(text: string | undefined): boolean {
  return text !== undefined && /^\s*-?\d+\s*$/.test(text)
}

/** Fields between commas; a field in quotes may hold commas, and quotes when doubled (RFC 4180). */
function csvFields(line: string): string[] {
  const fields: string[] = []
  const pattern = /(?:^|,)(?:"((?:[^"]|"")*)"|([^",]*))/g
  for (const [, quoted, plain] of line.matchAll(pattern)) fields.push(quoted?.replaceAll('""', '"') ?? plain ?? '')
  return fields
}
