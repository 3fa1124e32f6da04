/**
 * @module demo/guard — cleans up after a process that could not: a shell that waits for the end of a pipe. The pipe ends when its writer is gone, for
 * whatever reason (`kill -9` too); then the guard stops the servers and removes the folders that were left.
 */
import { spawn } from 'node:child_process'
import type { Writable } from 'node:stream'

/** What is to be done when this process has ended without doing it. */
export interface GuardOptions {
  /** Files whose first line is the id of a process to stop, as PostgreSQL's postmaster.pid; looked at only then, so that a restart may change it. */
  readonly pidFiles: readonly string[]
  /** Folders to remove afterwards. */
  readonly directories: readonly string[]
}

/** How long the guard waits for stopped processes before it removes their folders, in tenths of a second. */
const STOP_WAIT_TENTHS = 50

/**
 * Arguments: number of pid files, the pid files, the folders. SIGQUIT is PostgreSQL's "at once, but tidy"; it removes its pid file last. (The
 * process itself may stay as a zombie where nobody takes over orphans.)
 */
const SCRIPT = `
read -r word
[ "$word" = done ] && exit 0
count=$1; shift
while [ "$count" -gt 0 ]; do
  if [ -f "$1" ]; then
    pid=$(head -n 1 "$1")
    kill -QUIT "$pid"
    left=${STOP_WAIT_TENTHS}
    while [ "$left" -gt 0 ] && [ -f "$1" ] && kill -0 "$pid" 2>/dev/null; do sleep 0.1; left=$((left - 1)); done
  fi
  shift; count=$((count - 1))
done
[ "$#" -eq 0 ] || rm -rf -- "$@"
`

/** Starts a guard; the function that comes back sends it away when everything has been cleaned up in order. */
export function startGuard({ pidFiles, directories }: GuardOptions): () => Promise<void> {
  // A group of its own: Ctrl-C in the terminal goes to every process of the foreground group, and the guard must outlive it.
  const guard = spawn('/bin/sh', ['-c', SCRIPT, 'millrace-guard', String(pidFiles.length), ...pidFiles, ...directories], {
    stdio: ['pipe', 'ignore', 'ignore'],
    cwd: '/',
    detached: true,
  })
  const ended = new Promise<void>((resolve) => {
    guard.once('exit', () => resolve())
    guard.once('error', () => resolve())
  })
  const pipe: Writable & { unref?(): void } = guard.stdin
  // A guard that is gone already cannot be told anything.
  pipe.on('error', () => {})
  guard.unref()
  pipe.unref?.()
  return async () => {
    guard.ref()
    pipe.end('done\n')
    await ended
  }
}
