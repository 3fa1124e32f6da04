/**
 * @module io/memory-tree — the directories of a disk in memory, with what a power cut would leave of them.
 *
 * Each directory has its entries as they are and as they are durable. A creation, removal or rename is a change that
 * waits in one list, in order, until a directory that it touches is synced, as in a journaling file system: a change is
 * durable whole or not at all, and a rename never loses both names.
 */
import { MemoryContent } from './memory-content.ts'

export interface FileNode {
  readonly kind: 'file'
  readonly content: MemoryContent
  modifiedMs: number
}

export interface DirectoryNode {
  readonly kind: 'directory'
  readonly entries: Map<string, Node>
  readonly durable: Map<string, Node>
  modifiedMs: number
}

export type Node = FileNode | DirectoryNode

interface Change {
  readonly touches: readonly DirectoryNode[]
  readonly makeDurable: () => void
}

/** An error as Node's file system gives it. */
export function fileError(code: string, call: string, path: string): NodeJS.ErrnoException {
  return Object.assign(new Error(`${code}: ${call} '${path}'`), { code, syscall: call, path })
}

/** A tree of files. Paths are absolute, with "/" between names. Times come from `nowMs`. */
export class MemoryTree {
  readonly root: DirectoryNode = directoryNode(0)
  readonly #keepsUndo: boolean
  readonly #nowMs: () => number
  #changes: Change[] = []

  constructor(keepsUndo: boolean, nowMs: () => number) {
    this.#keepsUndo = keepsUndo
    this.#nowMs = nowMs
  }

  find(path: string): Node | undefined {
    let node: Node | undefined = this.root
    for (const name of namesOf(path)) {
      if (node?.kind !== 'directory') return undefined
      node = node.entries.get(name)
    }
    return node
  }

  file(path: string, call: string): FileNode {
    const node = this.find(path)
    if (node === undefined) throw fileError('ENOENT', call, path)
    if (node.kind === 'directory') throw fileError('EISDIR', call, path)
    return node
  }

  directory(path: string, call: string): DirectoryNode {
    const node = this.find(path)
    if (node === undefined) throw fileError('ENOENT', call, path)
    if (node.kind === 'file') throw fileError('ENOTDIR', call, path)
    return node
  }

  createFile(path: string): FileNode {
    const node: FileNode = { kind: 'file', content: new MemoryContent(this.#keepsUndo), modifiedMs: this.#nowMs() }
    this.#put(path, node, 'open')
    return node
  }

  makeDirectories(path: string): void {
    let made = ''
    for (const name of namesOf(path)) {
      made += `/${name}`
      const node = this.find(made)
      if (node?.kind === 'file') throw fileError(made === path ? 'EEXIST' : 'ENOTDIR', 'mkdir', path)
      if (node === undefined) this.#put(made, directoryNode(this.#nowMs()), 'mkdir')
    }
  }

  rename(from: string, to: string): void {
    const [source, sourceName] = this.#place(from, 'rename')
    const [target, targetName] = this.#place(to, 'rename')
    const node = source.entries.get(sourceName)
    const replaced = target.entries.get(targetName)
    if (node === undefined) throw fileError('ENOENT', 'rename', from)
    if (node === replaced) return
    if (replaced?.kind === 'directory') {
      if (node.kind === 'file') throw fileError('EISDIR', 'rename', to)
      if (replaced.entries.size > 0) throw fileError('ENOTEMPTY', 'rename', to)
    } else if (replaced !== undefined && node.kind === 'directory') {
      throw fileError('ENOTDIR', 'rename', to)
    }
    source.entries.delete(sourceName)
    target.entries.set(targetName, node)
    this.#changed([source, target], () => {
      source.durable.delete(sourceName)
      target.durable.set(targetName, node)
    })
  }

  remove(path: string): void {
    if (this.find(path) === undefined) return
    const [parent, name] = this.#place(path, 'rm')
    parent.entries.delete(name)
    this.#changed([parent], () => parent.durable.delete(name))
  }

  /** Makes every change that touches the directory durable. */
  sync(directory: DirectoryNode): void {
    const waiting: Change[] = []
    for (const change of this.#changes) {
      if (change.touches.includes(directory)) change.makeDurable()
      else waiting.push(change)
    }
    this.#changes = waiting
  }

  /**
   * The tree that a power cut leaves. Without `chance`: exactly what was synced. With it (floats in [0, 1)): the first
   * part of the unsynced changes got through as well, and each file is torn ({@link MemoryContent.torn}).
   */
  crashed(chance: (() => number) | undefined): MemoryTree {
    const arrivedCount = chance === undefined ? 0 : Math.floor(chance() * (this.#changes.length + 1))
    for (const change of this.#changes.slice(0, arrivedCount)) change.makeDurable()
    const left = new MemoryTree(this.#keepsUndo, this.#nowMs)
    copyDurable(this.root, left.root, (content) => {
      const copy = new MemoryContent(this.#keepsUndo)
      copy.write(chance === undefined ? content.synced() : content.torn(chance), 0)
      copy.sync()
      return copy
    })
    return left
  }

  #put(path: string, node: Node, call: string): void {
    const [parent, name] = this.#place(path, call)
    parent.entries.set(name, node)
    this.#changed([parent], () => parent.durable.set(name, node))
  }

  #changed(touches: readonly DirectoryNode[], makeDurable: () => void): void {
    for (const directory of touches) directory.modifiedMs = this.#nowMs()
    if (this.#keepsUndo) this.#changes.push({ touches, makeDurable })
  }

  #place(path: string, call: string): [DirectoryNode, string] {
    const names = namesOf(path)
    const name = names.pop()
    if (name === undefined) throw fileError('EBUSY', call, path)
    return [this.directory(`/${names.join('/')}`, call), name]
  }
}

function copyDurable(from: DirectoryNode, to: DirectoryNode, copyContent: (content: MemoryContent) => MemoryContent): void {
  for (const [name, node] of from.durable) {
    let copy: Node
    if (node.kind === 'file') {
      copy = { kind: 'file', content: copyContent(node.content), modifiedMs: node.modifiedMs }
    } else {
      copy = directoryNode(node.modifiedMs)
      copyDurable(node, copy, copyContent)
    }
    to.entries.set(name, copy)
    to.durable.set(name, copy)
  }
}

function directoryNode(modifiedMs: number): DirectoryNode {
  return { kind: 'directory', entries: new Map(), durable: new Map(), modifiedMs }
}

function namesOf(path: string): string[] {
  return path.split('/').filter((name) => name !== '' && name !== '.')
}
