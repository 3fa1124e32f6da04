/** @module cli/table — columns as Kafka's scripts lay them out: printf of left-aligned fields with a least width each. */

/** A column: `widthMin` is the least width; `grows` widens it to its longest cell; no width: the text as it is. */
export interface Column {
  readonly title: string
  readonly widthMin?: number
  readonly grows?: boolean
}

/** Header and rows, each without a line end. Cells are separated by one blank; `trailing` closes each row. */
export function tableLines(columns: readonly Column[], rows: readonly (readonly string[])[], trailing = ''): string[] {
  const widths = columns.map(({ widthMin = 0, grows = false }, index) =>
    grows ? Math.max(widthMin, ...rows.map((row) => row[index]?.length ?? 0)) : widthMin,
  )
  const line = (cells: readonly string[]): string => cells.map((cell, index) => cell.padEnd(widths[index] ?? 0)).join(' ') + trailing
  return [line(columns.map(({ title }) => title)), ...rows.map(line)]
}
