/**
 * @module wire/records/principal — a principal as a broker forwards it in an Envelope (KIP-590).
 */
import { data } from '../message.ts'
import { bool, string } from '../schema.ts'

/** Type and name of a principal. */
export const DefaultPrincipalData = data('DefaultPrincipalData', {
  versions: '0',
  flexible: 0,
  fields: {
    type: string,
    name: string,
    tokenAuthenticated: bool,
  },
})
