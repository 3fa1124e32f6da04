import fc from 'fast-check'
import { describe, expect, it } from 'vitest'
import { type Disk, memoryDisk, seededRandom } from '../../hub/io/index.ts'

/** Floats that the seed repeats. */
function chanceOf(seed: number): () => number {
  const random = seededRandom(seed)
  return () => random.float()
}

const text = async (disk: Disk, path: string): Promise<string> => (await disk.readFile(path)).toString()

describe('a power cut', () => {
  it('takes back what was not synced: appends, overwrites, truncations', async () => {
    const disk = memoryDisk()
    const file = await disk.open('/data/a', 'create')
    await file.write([Buffer.from('0123456789')], 0)
    await file.sync()
    await disk.syncDirectory('/data')
    await file.write([Buffer.from('XY')], 3)
    await file.write([Buffer.from('appended')], 10)
    await file.truncate(4)
    await file.write([Buffer.from('zz')], 5)
    expect(await text(disk, '/data/a')).toBe('012X\0zz')
    expect(await text(disk.crash(), '/data/a')).toBe('0123456789')
    await file.sync()
    expect(await text(disk.crash(), '/data/a')).toBe('012X\0zz')
  })

  it('takes names back that the directory was not synced for', async () => {
    const disk = memoryDisk()
    const file = await disk.open('/data/new', 'create')
    await file.write([Buffer.from('x')], 0)
    await file.sync()
    expect(await disk.crash().list('/data')).toEqual([])
    await disk.syncDirectory('/data')
    await disk.rename('/data/new', '/data/renamed')
    expect(await disk.crash().list('/data')).toEqual(['new'])
    await disk.syncDirectory('/data')
    await disk.remove('/data/renamed')
    const left = disk.crash()
    expect(await left.list('/data')).toEqual(['renamed'])
    expect(await text(left, '/data/renamed')).toBe('x')
  })

  it('keeps what writeFileAtomic wrote, and the old version until then', async () => {
    const disk = memoryDisk()
    await disk.writeFileAtomic('/data/c', Buffer.from('one'))
    disk.failNextSync()
    await expect(disk.writeFileAtomic('/data/c', Buffer.from('two'))).rejects.toMatchObject({ code: 'EIO' })
    expect(await text(disk.crash(), '/data/c')).toBe('one')
    expect(await disk.list('/data')).toEqual(['c'])
  })

  it('needs every directory on the way to be synced', async () => {
    const disk = memoryDisk()
    await disk.makeDirectory('/data/t-0')
    await disk.writeFileAtomic('/data/t-0/a', Buffer.from('x'))
    expect(await disk.crash().list('/data')).toEqual([])
    await disk.syncDirectory('/data')
    expect(await disk.crash().list('/data/t-0')).toEqual(['a'])
  })

  it('leaves a disk of its own, without locks', async () => {
    const disk = memoryDisk()
    await disk.lock('/data')
    const left = disk.crash()
    await left.lock('/data')
    await disk.writeFileAtomic('/data/later', Buffer.from('x'))
    expect(await left.list('/data')).toEqual([])
  })

  it('with chance keeps some unsynced sectors, never anything that was not written, and all that was synced', () =>
    fc.assert(
      fc.asyncProperty(fc.integer(), async (seed) => {
        const disk = memoryDisk()
        const file = await disk.open('/data/a', 'create')
        await file.write([Buffer.alloc(2048, 'o')], 0)
        await file.sync()
        await disk.syncDirectory('/data')
        await file.write([Buffer.alloc(4096, 'n')], 1024)
        const left = await disk.crash(chanceOf(seed)).readFile('/data/a')
        expect(left.length).toBeGreaterThanOrEqual(2048)
        expect(left.length).toBeLessThanOrEqual(5120)
        expect(left.subarray(0, 1024).equals(Buffer.alloc(1024, 'o'))).toBe(true)
        expect(left.subarray(1024, 2048).toString()).toMatch(/^[on]+$/)
        expect(left.subarray(2048).toString()).toMatch(/^[n\0]*$/)
      }),
      { numRuns: 50 },
    ))

  it('with chance differs between seeds and repeats with one', async () => {
    const disk = memoryDisk()
    const file = await disk.open('/data/a', 'create')
    await disk.syncDirectory('/data')
    await file.write([Buffer.alloc(20_000, 'n')], 0)
    const leftOf = async (seed: number): Promise<string> => text(disk.crash(chanceOf(seed)), '/data/a')
    expect(await leftOf(3)).toBe(await leftOf(3))
    expect(new Set(await Promise.all([1, 2, 3, 4, 5].map(leftOf))).size).toBeGreaterThan(1)
  })
})

describe('faults', () => {
  it('runs full: writes what fits, refuses the rest, and goes on when there is room', async () => {
    const disk = memoryDisk({ limitBytes: 10 })
    const file = await disk.open('/data/a', 'create')
    await file.write([Buffer.from('12345678')], 0)
    await expect(file.write([Buffer.from('9'), Buffer.from('abc')], 8)).rejects.toMatchObject({ code: 'ENOSPC' })
    expect(await text(disk, '/data/a')).toBe('123456789a')
    await file.write([Buffer.from('over')], 0)
    expect(await disk.space('/data')).toEqual({ freeBytes: 0, totalBytes: 10 })
    await expect(disk.writeFileAtomic('/data/b', Buffer.from('x'))).rejects.toMatchObject({ code: 'ENOSPC' })
    disk.setLimitBytes(20)
    await file.write([Buffer.from('more')], 10)
    expect(disk.usedBytes()).toBe(14)
  })

  it('fails the next write or sync, once', async () => {
    const disk = memoryDisk()
    const file = await disk.open('/data/a', 'create')
    disk.failNextWrite('EIO', 3)
    await expect(file.write([Buffer.from('ab'), Buffer.from('cd')], 0)).rejects.toMatchObject({ code: 'EIO' })
    expect(await text(disk, '/data/a')).toBe('abc')
    await file.write([Buffer.from('d')], 3)
    disk.failNextSync()
    await expect(file.sync()).rejects.toMatchObject({ code: 'EIO' })
    await disk.syncDirectory('/data')
    expect(await text(disk.crash(), '/data/a')).toBe('')
    await file.sync()
    expect(await text(disk.crash(), '/data/a')).toBe('abcd')
  })

  it('never gives the device what a failed sync dropped, but what is written again', async () => {
    const disk = memoryDisk()
    const file = await disk.open('/data/f', 'create')
    await disk.syncDirectory('/data')
    await file.write([Buffer.from('one two three')], 0)
    await file.sync()
    await file.write([Buffer.from('ONE')], 0)
    await file.write([Buffer.from(' four five')], 13)
    disk.failNextSync('EIO', true)
    await expect(file.sync()).rejects.toMatchObject({ code: 'EIO' })
    await file.write([Buffer.from('FIVE')], 19)
    await file.sync()
    expect((await disk.readFile('/data/f')).toString()).toBe('ONE two three four FIVE')
    expect((await disk.crash().readFile('/data/f')).toString()).toBe('one two three\0\0\0\0\0\0FIVE')
    expect((await disk.crash(() => 0).readFile('/data/f')).toString()).toBe('one two three\0\0\0\0\0\0FIVE')
  })

  it('holds operations back and lets a test refuse them', async () => {
    const disk = memoryDisk()
    const file = await disk.open('/data/a', 'create')
    const gate = Promise.withResolvers<void>()
    const seen: string[] = []
    disk.intercept = async ({ kind, path, sizeBytes }) => {
      seen.push(`${kind} ${path} ${sizeBytes}`)
      await gate.promise
    }
    const write = file.write([Buffer.from('xyz')], 0)
    expect(await file.sizeBytes()).toBe(0)
    gate.resolve()
    await write
    expect(seen).toEqual(['write /data/a 3'])
    disk.intercept = () => {
      throw Object.assign(new Error('no'), { code: 'EACCES' })
    }
    await expect(disk.rename('/data/a', '/data/b')).rejects.toMatchObject({ code: 'EACCES' })
  })
})
