import { describe, expect, it } from 'vitest'
import { recordingNames, recordingOf, scriptOf } from './library.ts'
import { isStage } from './recording.ts'
import { readScript } from './script.ts'
import { splitStatements } from './statements.ts'

describe('splitStatements', () => {
  it.each([
    ['select 1; select 2', ['select 1', 'select 2']],
    [' ;; \n', []],
    ["insert into t values ('a;b', 'it''s;')", ["insert into t values ('a;b', 'it''s;')"]],
    [`select ";""x;"; select 2;`, [`select ";""x;"`, 'select 2']],
    [String.raw`select E'\';', '\'; select 2`, [String.raw`select E'\';', '\'`, 'select 2']],
    [String.raw`select some'\'; select 1`, [String.raw`select some'\'`, 'select 1']],
    ['do $$ begin; end $$; select $a$;$$;$a$', ['do $$ begin; end $$', 'select $a$;$$;$a$']],
    ['select a$1; select 1$2', ['select a$1', 'select 1$2']],
    ['select 1 -- no; end\n; select 2 /* ; /* ; */ ; */ + 1; -- last', ['select 1 -- no; end', 'select 2 /* ; /* ; */ ; */ + 1']],
  ])('%j', (text, statements) => {
    expect(splitStatements(text)).toEqual(statements)
  })

  it.each(["select 'a", 'select "a', 'do $x$ y', '/* /* */'])('refuses %j, which does not end', (text) => {
    expect(() => splitStatements(text)).toThrow('does not end')
  })
})

describe('readScript', () => {
  it('reads directives in order', () => {
    const script = readScript(
      `-- @config a=1 ;; b=x=y
-- @variant one
-- @variant two c=2;3 ;; d=
-- @setup
create table t(v text);
insert into t values ('-- @sql no');
-- @start
-- @sql first; of two
insert into t values ('x'); delete from t;
-- @stop
-- @while-stopped away
delete from t
-- @resume again
-- @set a=3
-- @wait 1.5
-- @query end
select 1`,
    )
    expect(script).toEqual({
      setup: ['create table t(v text)', "insert into t values ('-- @sql no')"],
      config: { a: '1', b: 'x=y' },
      variants: new Map([
        ['one', {}],
        ['two', { c: '2;3', d: '' }],
      ]),
      steps: [
        { kind: 'start', label: 'started' },
        { kind: 'sql', label: 'first; of two', statements: ["insert into t values ('x')", 'delete from t'] },
        { kind: 'stop', label: 'stop' },
        { kind: 'while-stopped', label: 'away', statements: ['delete from t'] },
        { kind: 'resume', label: 'resume again' },
        { kind: 'set', label: 'reconfigured a=3', config: { a: '3' } },
        { kind: 'wait', label: 'waited' },
        { kind: 'query', label: 'end', statements: ['select 1'] },
      ],
    })
  })

  it('refuses what it does not know', () => {
    expect(() => readScript('-- @signal {}')).toThrow('what is @signal?')
    expect(() => readScript('select 1')).toThrow('before the first directive')
  })

  it.each(recordingNames)('%s: the steps are the stages of the recording, and its keys those of the variant', (name) => {
    const [script, recording] = [scriptOf(name), recordingOf(name)]
    expect(recording.items.filter(isStage).map(({ stage }) => stage)).toEqual(script.steps.map(({ label }) => label))
    // The recorder wrote its first line in the end: it has the keys as they were last set.
    const later = script.steps.flatMap((step) => (step.kind === 'set' ? [step.config] : []))
    expect(recording.config).toMatchObject(Object.assign({}, script.config, script.variants.get(recording.variant), ...later))
  })
})
