/**
 * @module rest/sites — keeps web pages of other sites from reaching the worker through the browser of somebody who can reach it. The API asks for
 * no password, so that being on the worker's machine is all the leave that there is, and a browser on it lends that to every page.
 *
 * | a page's way | what stands in it |
 * |---|---|
 * | a request with a body, from another site | its content type must be JSON (body.ts), which a browser asks about first; nothing allows it |
 * | PUT, PATCH, DELETE from another site | a browser asks first as well |
 * | POST without a body (a restart) from another site | the browser's own mark, `Sec-Fetch-Site` (W3C Fetch Metadata) |
 * | any request by a name of its own that it lets point to 127.0.0.1 (DNS rebinding) | the name in `Host`, on loopback listeners |
 */
import type { Hono } from 'hono'
import { RestFailure } from './failure.ts'

const SAFE_METHODS: ReadonlySet<string> = new Set(['GET', 'HEAD', 'OPTIONS'])
const OWN_SITES: ReadonlySet<string> = new Set(['same-origin', 'none'])

/** Refuses with 403. `hostNames`: names that a request may ask by, beside addresses and `localhost`; undefined: any. */
export function refuseOtherSites(app: Hono, hostNames: readonly string[] | undefined): void {
  const known = hostNames === undefined ? undefined : new Set(hostNames.map((name) => name.toLowerCase()))
  app.use(async (c, next) => {
    const { hostname } = new URL(c.req.url)
    if (known !== undefined && !known.has(hostname) && !isNobodysName(hostname)) {
      const remedy = 'ask by its address, or set rest.advertised.host.name to this name'
      throw new RestFailure(403, `The host name ${hostname} is not known to be this worker's; ${remedy}.`)
    }
    const site = c.req.header('sec-fetch-site')
    if (site !== undefined && !OWN_SITES.has(site) && !SAFE_METHODS.has(c.req.method)) {
      throw new RestFailure(403, 'A web page of another site may not do this.')
    }
    await next()
  })
}

/**
 * Addresses (a URL has those of IPv4 in their one spelling), and names that no name server gives out (RFC 6761 §6.3): nobody can let them point here who may
 * not ask anyway.
 */
function isNobodysName(hostname: string): boolean {
  return /^\[|^\d+\.\d+\.\d+\.\d+$|(^|\.)localhost\.?$/.test(hostname)
}
