/** @module connect/tasks/step — where a record is on its way: kept while it is converted, told when it fails. */

/** Stages by upstream's names (`errors.Stage`). */
export type Stage = 'TASK_POLL' | 'TASK_PUT' | 'TRANSFORMATION' | 'KEY_CONVERTER' | 'VALUE_CONVERTER' | 'HEADER_CONVERTER' | 'KAFKA_PRODUCE'

/** A stage, who works there, and the key of the configuration that put it there. */
export interface Step {
  readonly stage: Stage
  readonly className: string
  readonly setting: string
}

/** The step that runs now; one record is at work at a time. */
export interface Cursor {
  step: Step
}
