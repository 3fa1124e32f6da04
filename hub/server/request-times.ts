/** @module server/request-times — the moments of one request, from its last byte in to its answer's last byte out. */

/** Moments of monotonic time, in ms; filled in as the request goes on. */
export interface RequestTimes {
  readonly apiName: string
  readonly clientHost: string
  /** Its last byte was read. */
  readonly arrivedMs: number
  /** Its handler began: until then it waited for requests before it, or for a disk that is behind. */
  readonly beganMs: number
  /** The handler had done what it can do at once. */
  localEndMs: number
  /** The answer was there: what lies between was waiting, for the disk, other members, more records. */
  servedMs: number
  /** The answer was its connection's turn. */
  answeredMs: number
}

/** Told about a request whose answer is with the operating system at `sentMs`, or never will be as the connection is gone. */
export type OnAnswered = (times: RequestTimes, sentMs: number) => void
