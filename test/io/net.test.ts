import { describe, expect, it } from 'vitest'
import { memoryNet, nodeNet } from '../../hub/io/index.ts'
import { netContract } from './net-contract.ts'

describe('TCP', () => {
  netContract(nodeNet)
})

describe('the net in memory', () => {
  netContract(memoryNet)

  it('is one world per object', async () => {
    const net = memoryNet()
    await net.listen('localhost', 9092, (connection) => connection.destroy())
    await expect(memoryNet().connect('localhost', 9092)).rejects.toMatchObject({ code: 'ECONNREFUSED' })
    const connection = await net.connect('127.0.0.1', 9092)
    connection.destroy()
  })

  it('copies bytes on the way, so that a receiver may change them', async () => {
    const net = memoryNet()
    await net.listen('localhost', 1, (connection) => connection.on('data', (chunk: Buffer) => chunk.fill(0)))
    const connection = await net.connect('localhost', 1)
    const sent = Buffer.from('mine')
    await new Promise((resolve) => connection.write(sent, resolve))
    await new Promise((resolve) => setImmediate(resolve))
    expect(sent.toString()).toBe('mine')
    connection.destroy()
  })
})
