/** A source in thirty lines: prices that walk at random. To load it, set `connect.plugin.path: ./examples/plugins` in the hub's file. */
import { atLeast, defineConfig, defineSource, float64, int64, nonEmptyString, string, struct } from '@millrace/sdk'

const price = struct({ symbol: string(), step: int64(), price: float64() }, { name: 'com.example.Price' })

export const randomWalk = defineSource({
  class: 'com.example.RandomWalkSource',
  version: '1.0.0',
  documentation: 'Prices that walk at random, one step at a time.',
  config: defineConfig({
    topic: { type: 'STRING', validator: nonEmptyString, importance: 'HIGH', documentation: 'Where the prices go.' },
    symbol: { type: 'STRING', default: 'ACME', importance: 'HIGH', documentation: 'Whose price walks.' },
    'interval.ms': { type: 'INT', default: 100, validator: atLeast(1), importance: 'LOW', documentation: 'From one step to the next.' },
    steps: { type: 'LONG', default: -1, importance: 'LOW', documentation: 'How many steps to take; -1 for no end.' },
  }),
  async *run({ topic, symbol, 'interval.ms': intervalMs, steps }, { signal, offsets, sleep }) {
    const sourcePartition = { symbol }
    const stored = await offsets.read(sourcePartition)
    let [step, value] = [Number(stored?.['step'] ?? 0), Number(stored?.['price'] ?? 100)]
    while (!signal.aborted) {
      if (step !== steps) {
        value = Math.max(1, value + Math.sin(++step * 12.9898))
        const sourceOffset = { step, price: value }
        yield [{ topic, key: symbol, valueSchema: price, value: { symbol, step, price: value }, sourcePartition, sourceOffset }]
      }
      await sleep(intervalMs)
    }
  },
})
