/**
 * @module api/51-alter-user-scram-credentials — sets and removes SCRAM credentials of users. Version 0 (KIP-554).
 *
 * Every user is answered on its own. The client sends the password salted; it goes into the metadata log as keys that cannot log in.
 */
import { AlterUserScramCredentials } from '../wire/index.ts'
import { defineHandler } from './handler.ts'

export const alterUserScramCredentials = defineHandler({
  api: AlterUserScramCredentials,
  overlaps: false,
  create: (broker) => async (request) => ({
    throttleTimeMs: 0,
    results: await broker.controller.alterScramCredentials(request),
  }),
})
