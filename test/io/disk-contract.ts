/** What every Disk does. `root` is an empty directory of it. */
import { afterEach, beforeEach, expect, it } from 'vitest'
import type { Disk } from '../../hub/io/index.ts'

export function diskContract(make: () => Promise<{ disk: Disk; root: string; end: () => Promise<void> }>): void {
  let disk: Disk
  let root: string
  let end: () => Promise<void>
  beforeEach(async () => {
    ;({ disk, root, end } = await make())
  })
  afterEach(() => end())
  const put = (name: string, text: string): Promise<void> => disk.writeFileAtomic(`${root}/${name}`, Buffer.from(text))
  const get = async (name: string): Promise<string> => (await disk.readFile(`${root}/${name}`)).toString()

  it('writes chunks at positions and reads them back', async () => {
    const file = await disk.open(`${root}/a`, 'create')
    await file.write([Buffer.from('hello '), Buffer.alloc(0), Buffer.from('world')], 0)
    await file.write([Buffer.from('W')], 6)
    await file.write([], 3)
    const target = Buffer.alloc(5)
    expect(await file.read(target, 6)).toBe(5)
    expect(target.toString()).toBe('World')
    expect(await file.sizeBytes()).toBe(11)
    await file.sync()
    await file.close()
    expect(await get('a')).toBe('hello World')
  })

  it('reads short only at the end of the file', async () => {
    const file = await disk.open(`${root}/a`, 'create')
    await file.write([Buffer.alloc(200_000, 'x')], 0)
    expect(await file.read(Buffer.alloc(150_000), 100_000)).toBe(100_000)
    expect(await file.read(Buffer.alloc(10), 200_000)).toBe(0)
    expect(await file.read(Buffer.alloc(10), 300_000)).toBe(0)
    await file.close()
  })

  it('writes thousands of chunks in one call', async () => {
    const file = await disk.open(`${root}/many`, 'create')
    const chunks = Array.from({ length: 5000 }, (_, index) => Buffer.from(`${index},`))
    await file.write(chunks, 0)
    await file.close()
    expect(await get('many')).toBe(chunks.map(String).join(''))
  })

  it('fills a gap with zeros, also after a truncation', async () => {
    const file = await disk.open(`${root}/gap`, 'create')
    await file.write([Buffer.alloc(70_000, 'x')], 0)
    await file.truncate(2)
    await file.write([Buffer.from('z')], 5)
    await file.truncate(8)
    await file.close()
    expect(await get('gap')).toBe('xx\0\0\0z\0\0')
  })

  it('serves overlapping calls, and closes only after them', async () => {
    const file = await disk.open(`${root}/a`, 'create')
    const writes = Array.from({ length: 20 }, (_, index) => file.write([Buffer.alloc(1000, index)], index * 1000))
    await Promise.all([...writes, file.close(), file.close()])
    const content = await disk.readFile(`${root}/a`)
    expect(content.length).toBe(20_000)
    expect(content[19_999]).toBe(19)
    await expect(file.write([Buffer.from('x')], 0)).rejects.toMatchObject({ code: 'EBADF' })
    await expect(file.sync()).rejects.toMatchObject({ code: 'EBADF' })
  })

  it('opens by mode', async () => {
    await expect(disk.open(`${root}/none`, 'read')).rejects.toMatchObject({ code: 'ENOENT' })
    await expect(disk.open(`${root}/none`, 'write')).rejects.toMatchObject({ code: 'ENOENT' })
    await expect(disk.open(`${root}/none/none`, 'create')).rejects.toMatchObject({ code: 'ENOENT' })
    await put('a', 'text')
    const reader = await disk.open(`${root}/a`, 'read')
    await expect(reader.write([Buffer.from('x')], 0)).rejects.toMatchObject({ code: 'EBADF' })
    await reader.close()
    const writer = await disk.open(`${root}/a`, 'create')
    await writer.write([Buffer.from('T')], 0)
    await writer.close()
    expect(await get('a')).toBe('Text')
  })

  it('keeps an open file readable under another name and after its removal', async () => {
    await put('a', 'content')
    const file = await disk.open(`${root}/a`, 'read')
    await disk.rename(`${root}/a`, `${root}/b`)
    await disk.remove(`${root}/b`)
    const target = Buffer.alloc(7)
    expect(await file.read(target, 0)).toBe(7)
    expect(target.toString()).toBe('content')
    await file.close()
  })

  it('replaces files at once, the last of several writers winning', async () => {
    await put('a', 'a long first version')
    await put('a', 'short')
    expect(await get('a')).toBe('short')
    await Promise.all([put('b', 'one'), put('b', 'two'), put('b', 'three'), put('c', 'other')])
    expect([await get('b'), await get('c')]).toEqual(['three', 'other'])
    expect(await disk.list(root)).toEqual(['a', 'b', 'c'])
    await expect(put('none/a', 'x')).rejects.toMatchObject({ code: 'ENOENT' })
  })

  it('makes, lists and removes directories', async () => {
    await disk.makeDirectory(`${root}/x/y/z`)
    await disk.makeDirectory(`${root}/x/y/z`)
    await put('x/b', '')
    await put('x/a', '')
    expect(await disk.list(`${root}/x`)).toEqual(['a', 'b', 'y'])
    await expect(disk.list(`${root}/none`)).rejects.toMatchObject({ code: 'ENOENT' })
    await expect(disk.list(`${root}/x/a`)).rejects.toMatchObject({ code: 'ENOTDIR' })
    await expect(disk.makeDirectory(`${root}/x/a`)).rejects.toMatchObject({ code: 'EEXIST' })
    await disk.syncDirectory(`${root}/x`)
    await disk.remove(`${root}/x`)
    await disk.remove(`${root}/x`)
    expect(await disk.list(root)).toEqual([])
    await expect(disk.syncDirectory(`${root}/x`)).rejects.toMatchObject({ code: 'ENOENT' })
  })

  it('tells facts, and nothing of what is not there', async () => {
    await put('a', 'four')
    expect(await disk.facts(`${root}/a`)).toMatchObject({ kind: 'file', sizeBytes: 4 })
    expect(await disk.facts(root)).toMatchObject({ kind: 'directory' })
    expect(Number.isInteger((await disk.facts(root))?.modifiedMs)).toBe(true)
    expect(await disk.facts(`${root}/none`)).toBeUndefined()
    expect(await disk.facts(`${root}/a/below`)).toBeUndefined()
  })

  it('renames over a file and refuses what makes no sense', async () => {
    await put('a', 'new')
    await put('b', 'old')
    await disk.rename(`${root}/a`, `${root}/b`)
    expect([await disk.list(root), await get('b')]).toEqual([['b'], 'new'])
    await expect(disk.rename(`${root}/none`, `${root}/b`)).rejects.toMatchObject({ code: 'ENOENT' })
    await disk.makeDirectory(`${root}/d/e`)
    await expect(disk.rename(`${root}/b`, `${root}/d`)).rejects.toMatchObject({ code: 'EISDIR' })
    await disk.makeDirectory(`${root}/f`)
    await expect(disk.rename(`${root}/f`, `${root}/d`)).rejects.toMatchObject({ code: 'ENOTEMPTY' })
    await disk.rename(`${root}/d`, `${root}/g`)
    expect(await disk.list(`${root}/g`)).toEqual(['e'])
  })

  it('reads whole files and names what it cannot read', async () => {
    await expect(disk.readFile(`${root}/none`)).rejects.toMatchObject({ code: 'ENOENT' })
    await expect(disk.readFile(root)).rejects.toMatchObject({ code: 'EISDIR' })
  })

  it('tells the space of the device', async () => {
    const { freeBytes, totalBytes } = await disk.space(root)
    expect(freeBytes).toBeGreaterThan(0)
    expect(totalBytes).toBeGreaterThanOrEqual(freeBytes)
    await expect(disk.space(`${root}/none`)).rejects.toMatchObject({ code: 'ENOENT' })
  })

  it('lets one holder lock a directory', async () => {
    const lock = await disk.lock(root)
    await expect(disk.lock(root)).rejects.toMatchObject({ name: 'DirectoryLockedError', directory: root, holderPid: process.pid })
    await lock.release()
    const again = await disk.lock(root)
    await lock.release()
    await expect(disk.lock(root)).rejects.toMatchObject({ name: 'DirectoryLockedError' })
    await again.release()
    expect(await disk.list(root)).toEqual([])
  })
}
