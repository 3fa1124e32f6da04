/** @module demo/terminal — a screen that is drawn over in place, on the terminal's second page, so that what stood there before comes back. */
import type { Line } from './paint.ts'
import { paintLine } from './paint.ts'
import type { ScreenSize } from './screen.ts'

/** What the demo writes to: process.stdout. */
export interface Output {
  readonly isTTY?: boolean
  readonly columns?: number
  readonly rows?: number
  write(text: string): unknown
  on?(event: 'resize' | 'error', listener: (error: NodeJS.ErrnoException) => void): unknown
  off?(event: 'resize' | 'error', listener: (error: NodeJS.ErrnoException) => void): unknown
}

/** What a terminal without a size is taken for. */
const DEFAULT_SIZE: ScreenSize = { columns: 80, rows: 24 }

const ENTER = '\x1b[?1049h\x1b[?25l\x1b[2J'
const LEAVE = '\x1b[?25h\x1b[?1049l'
/** Terminals that know it show a frame whole (synchronized output); others pass over it. */
const FRAME_BEGIN = '\x1b[?2026h\x1b[H'
const FRAME_END = '\x1b[J\x1b[?2026l'

export interface Screen {
  /** Draws the lines that `render` makes for the size of the moment; nothing is written when nothing has changed. */
  draw(): void
  /** Gives the terminal back as it was. */
  close(): void
}

/** Opens the screen; it draws itself anew when the window changes. */
export function openScreen(output: Output, hasColor: boolean, render: (size: ScreenSize) => readonly Line[]): Screen {
  let last = ''
  let isOpen = true
  let isSuspended = false
  const draw = (): void => {
    if (!isOpen || isSuspended) return
    const size = { columns: output.columns ?? DEFAULT_SIZE.columns, rows: output.rows ?? DEFAULT_SIZE.rows }
    // No line end after the last line: it would scroll the first one away.
    const frame = render(size)
      .slice(0, size.rows)
      .map((line) => `${paintLine(line, size.columns, hasColor)}\x1b[K`)
      .join('\r\n')
    if (frame === last) return
    last = frame
    output.write(FRAME_BEGIN + frame + FRAME_END)
  }
  const onResize = (): void => {
    last = ''
    draw()
  }
  // Ctrl-Z gives the terminal back for as long as it lasts.
  const onSuspend = (): void => {
    isSuspended = true
    output.write(LEAVE)
    process.kill(process.pid, 'SIGSTOP')
  }
  const onContinue = (): void => {
    isSuspended = false
    output.write(ENTER)
    onResize()
  }
  const close = (): void => {
    if (!isOpen) return
    isOpen = false
    output.off?.('resize', onResize)
    process.removeListener('SIGTSTP', onSuspend)
    process.removeListener('SIGCONT', onContinue)
    process.removeListener('exit', close)
    output.write(LEAVE)
  }
  output.write(ENTER)
  output.on?.('resize', onResize)
  process.on('SIGTSTP', onSuspend)
  process.on('SIGCONT', onContinue)
  // However the process ends, the terminal is given back.
  process.on('exit', close)
  return { draw, close }
}
