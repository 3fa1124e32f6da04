import { describe, expect, it } from 'vitest'
import { policyRefusal } from '../../../hub/connect/validation/override-policy.ts'
import { startHub } from '../../../hub/testing.ts'
import { eventually, startWorker, temporaryFolder } from '../worker.ts'

const POLICY = 'connector.client.config.override.policy'

describe('the policy for client overrides', () => {
  it.each(['All', ' All ', 'org.apache.kafka.connect.connector.policy.AllConnectorClientConfigOverridePolicy'])('%s allows', (policy) => {
    expect(policyRefusal('linger.ms', { [POLICY]: policy })).toBeUndefined()
  })

  it.each(['None', 'Principal', 'Allowlist', 'Unheard', ''])('%s refuses', (policy) => {
    expect(policyRefusal('linger.ms', { [POLICY]: policy })).toBe(
      `The '${policy}' policy does not allow 'linger.ms' to be overridden in the connector configuration.`,
    )
  })

  it('holds for a connector that was stored under another one', async () => {
    await using hub = await startHub()
    await using plugins = await temporaryFolder()
    const config = {
      'connector.class': 'FileStreamSource',
      topic: 'lines',
      file: await plugins.write('lines.txt', 'one\n'),
      'producer.override.linger.ms': '7',
    }
    const mild = await startWorker(hub.bootstrap, plugins.path, { [POLICY]: 'All' })
    await mild.create({ name: 'stored', config })
    await eventually(
      () => mild.status('stored')?.tasks[0]?.state,
      (state) => state === 'RUNNING',
    )
    await mild.close()
    const strict = await startWorker(hub.bootstrap, plugins.path, { [POLICY]: 'None' })
    await strict.started()
    const task = await eventually(
      () => strict.status('stored')?.tasks[0],
      (status) => status?.state === 'FAILED',
    )
    expect(task?.trace).toMatch(/Client Config Overrides not allowed: The 'None' policy does not allow 'linger\.ms'/)
    await expect(strict.putConfig('stored', config)).rejects.toThrow("The 'None' policy does not allow 'linger.ms'")
    await strict.close()
  })
})
