import { describe, expect, it } from 'vitest'
import { type PublicationSituation, type PublicationState, planPublication } from '../../../connectors/postgres/publication-plan.ts'

const named = (...names: string[]) => names.map((name) => ({ schema: 'public', name }))
const state = (facts: Partial<PublicationState> = {}): PublicationState => ({
  isForAllTables: false,
  isViaRoot: false,
  comment: 'made by Millrace for slot s',
  operations: ['insert', 'update', 'delete', 'truncate'],
  named: [],
  covered: [],
  ...facts,
})
const plan = (facts: Partial<PublicationSituation>) =>
  planPublication({
    name: 'p"q',
    slotName: 's',
    mode: 'all_tables',
    state: null,
    captured: named('a', 'b'),
    isViaRoot: false,
    operations: null,
    isReadOnly: false,
    ...facts,
  })

/** Nothing to do, nothing to say. */
const asItIs = { action: 'run', statements: [], warnings: [] }

describe('the publication', () => {
  it.each([
    ['all_tables', false, 'CREATE PUBLICATION "p""q" FOR ALL TABLES'],
    ['filtered', false, 'CREATE PUBLICATION "p""q" FOR TABLE "public"."a", "public"."b"'],
    ['filtered', true, 'CREATE PUBLICATION "p""q" FOR TABLE "public"."a", "public"."b" WITH (publish_via_partition_root = true)'],
    ['no_tables', false, 'CREATE PUBLICATION "p""q"'],
  ] as const)('is created: %s, via root %s', (mode, isViaRoot, statement) => {
    expect(plan({ mode, isViaRoot })).toMatchObject({
      action: 'run',
      statements: [statement, `COMMENT ON PUBLICATION "p""q" IS 'made by Millrace for slot s'`],
    })
  })

  it.each([
    ['disabled', false, 'publication-missing', /autocreate\.mode is disabled/],
    ['all_tables', true, 'publication-missing', /standby/],
  ] as const)('is not created: %s, standby %s', (mode, isReadOnly, code, message) => {
    expect(plan({ mode, isReadOnly })).toMatchObject({ action: 'refuse', code, message: expect.stringMatching(message) })
  })

  it('is not made for no table', () => {
    expect(plan({ mode: 'filtered', captured: [] })).toMatchObject({ action: 'refuse', code: 'no-table-captured' })
  })

  it.each(['all_tables', 'no_tables', 'disabled'] as const)('is left as it is by %s', (mode) => {
    expect(plan({ mode, state: state({ named: named('x') }) })).toMatchObject(asItIs)
  })

  it('for all tables cannot be filtered', () => {
    expect(plan({ mode: 'filtered', state: state({ isForAllTables: true }) })).toMatchObject({
      action: 'refuse',
      code: 'publication-for-all-tables',
    })
  })

  it('grows and shrinks by the difference alone', () => {
    expect(plan({ mode: 'filtered', state: state({ named: named('b', 'c') }) })).toMatchObject({
      statements: ['ALTER PUBLICATION "p""q" ADD TABLE "public"."a"', 'ALTER PUBLICATION "p""q" DROP TABLE "public"."c"'],
    })
  })

  it('of somebody else never shrinks', () => {
    const theirs = { comment: null }
    expect(plan({ mode: 'filtered', state: state({ ...theirs, named: named('b', 'c') }) })).toMatchObject({
      statements: ['ALTER PUBLICATION "p""q" ADD TABLE "public"."a"'],
    })
    expect(plan({ mode: 'filtered', state: state({ ...theirs, named: named('a', 'b', 'c') }) })).toMatchObject(asItIs)
  })

  it.each(['filtered', 'all_tables'] as const)('of another slot is shared from now on, and never shrinks again: %s', (mode) => {
    const shared = `COMMENT ON PUBLICATION "p""q" IS 'made by Millrace for several slots'`
    const theirs = state({ comment: 'made by Millrace for slot s2', named: named('a', 'b', 'c') })
    expect(plan({ mode, state: theirs })).toMatchObject({ statements: [shared] })
    expect(plan({ mode, state: { ...theirs, comment: 'made by Millrace for several slots' } })).toMatchObject(asItIs)
  })

  it('that covers a table by its schema or its partitioned table has it', () => {
    expect(plan({ mode: 'filtered', state: state({ named: named('b'), covered: named('a', 'b') }) })).toMatchObject(asItIs)
  })

  it('of a standby is used as it is, or refused where it lacks a table', () => {
    const standby = { mode: 'filtered', isReadOnly: true } as const
    expect(plan({ ...standby, state: state({ named: named('a', 'b', 'c') }) })).toMatchObject(asItIs)
    expect(plan({ ...standby, state: state({ named: named('a') }) })).toMatchObject({ action: 'refuse', code: 'publication-incomplete' })
  })

  it('that publishes partitions otherwise than asked is told of', () => {
    expect(plan({ isViaRoot: true, state: state() })).toMatchObject({
      warnings: [expect.stringMatching(/publish_via_partition_root = false/)],
    })
  })

  it('sends what is not skipped, where that is said', () => {
    expect(plan({ operations: ['delete', 'truncate'] })).toMatchObject({
      statements: [`CREATE PUBLICATION "p""q" FOR ALL TABLES WITH (publish = 'delete, truncate')`, expect.anything()],
    })
  })

  it('that sends too little is set right if it is ours, else told of', () => {
    const little = { operations: ['insert'] } as const
    expect(plan({ operations: ['insert', 'delete'], state: state(little) })).toMatchObject({
      statements: [`ALTER PUBLICATION "p""q" SET (publish = 'insert, delete')`],
      warnings: [],
    })
    expect(plan({ state: state({ ...little, comment: null }) })).toMatchObject({
      statements: [],
      warnings: [expect.stringMatching(/does not publish update, delete/)],
    })
    expect(plan({ operations: ['insert'], state: state() })).toMatchObject(asItIs)
  })
})
