import { mkdtemp, rm } from 'node:fs/promises'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { describe } from 'vitest'
import { memoryDisk, nodeDisk } from '../../hub/io/index.ts'
import { diskContract } from './disk-contract.ts'

describe('the file system', () => {
  diskContract(async () => {
    const root = await mkdtemp(join(tmpdir(), 'millrace-disk-'))
    return { disk: nodeDisk(), root, end: () => rm(root, { recursive: true, force: true }) }
  })
})

describe('the disk in memory', () => {
  diskContract(async () => ({ disk: memoryDisk(), root: '/data', end: async () => {} }))
})

describe('the disk in memory without undo', () => {
  diskContract(async () => ({ disk: memoryDisk({ crashable: false }), root: '/data', end: async () => {} }))
})
