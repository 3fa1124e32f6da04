/** @module cli/option-rules — which options go together: the checks of Kafka's CommandLineUtils, with their messages. */
import { UsageError } from './command.ts'
import type { OptionTable, ParsedOptions } from './options.ts'

type Names<Table> = readonly (keyof Table & string)[]

/** `[topic]`, as jopt-simple prints an option. */
export function bracketed(name: string): string {
  return `[${name}]`
}

/** `[group], [all-groups]` */
export function bracketedList(names: readonly string[]): string {
  return names.map(bracketed).join(', ')
}

/** Each of these must be given. @throws UsageError */
export function requireOptions<Table extends OptionTable>(options: ParsedOptions<Table>, ...names: Names<Table>): void {
  for (const name of names) {
    if (!options.has(name)) throw new UsageError(`Missing required argument "${bracketed(name)}"`)
  }
}

/** Exactly one of these must be given. @throws UsageError */
export function requireOneOption<Table extends OptionTable>(options: ParsedOptions<Table>, ...names: Names<Table>): void {
  if (names.filter((name) => options.has(name)).length !== 1) {
    throw new UsageError(`Exactly one of the following arguments is required: ${bracketedList(names)}`)
  }
}

/** When `used` is given, none of the others may be. @throws UsageError */
export function refuseOptions<Table extends OptionTable>(
  options: ParsedOptions<Table>,
  used: keyof Table & string,
  others: Names<Table>,
): void {
  if (!options.has(used)) return
  for (const other of others) {
    if (options.has(other)) throw new UsageError(`Option "${bracketed(used)}" can't be used with option "${bracketed(other)}"`)
  }
}
