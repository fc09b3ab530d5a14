import { describe, expect, it } from 'vitest'
import { loadTemplate } from '../template.ts'
import { loadedDefinition, type LoadedDefinition } from '../perform/loaded.ts'
import { TemplateCache } from './template-cache.ts'

const ofSteps = (count: number): LoadedDefinition => {
  const steps = Array.from({ length: count }, (_, place) => ({ name: `s${place}`, script: 'return 1' }))
  return loadedDefinition(loadTemplate(JSON.stringify({ name: 't', steps })).template)
}

describe('TemplateCache', () => {
  const [small, large] = [ofSteps(1), ofSteps(5)]
  const cacheOf = (bounds: { templates: number; steps: number }) =>
    new TemplateCache((id) => Promise.resolve(id === 0 ? undefined : id < 10 ? small : large), bounds)

  it('has those at hand that were needed last', async () => {
    const cache = cacheOf({ templates: 2, steps: 100 })
    for (const id of [1, 2, 1, 3, 1, 2]) expect(await cache.get(id)).toBe(small)
    // 1 and 2 were missed, 1 found, 3 missed in the place of 2, 1 found, 2 missed in the place of 3.
    expect(cache.counts()).toEqual({ atHand: 2, steps: 2, hits: 2, misses: 4, evictions: 2 })
  })

  it('is bounded by the steps of all', async () => {
    const cache = cacheOf({ templates: 100, steps: 6 })
    for (const id of [1, 2, 3, 10]) await cache.get(id)
    expect(cache.counts()).toEqual({ atHand: 2, steps: 6, hits: 0, misses: 4, evictions: 2 })
    await cache.get(11)
    expect(cache.counts()).toMatchObject({ atHand: 1, steps: 5, evictions: 4 })
  })

  it('asks once for those that come together, and tells of what is none', async () => {
    const cache = cacheOf({ templates: 2, steps: 100 })
    await Promise.all([cache.get(1), cache.get(1), cache.get(1)])
    expect(cache.counts()).toMatchObject({ hits: 2, misses: 1 })
    expect(await cache.get(0)).toBeUndefined()
    expect(cache.counts()).toMatchObject({ atHand: 1, hits: 2, misses: 1 })
  })

  it('asks again after what went wrong', async () => {
    let isBroken = true
    const cache = new TemplateCache(() => (isBroken ? Promise.reject(new Error('gone')) : Promise.resolve(small)))
    await expect(cache.get(1)).rejects.toThrow('gone')
    isBroken = false
    expect(await cache.get(1)).toBe(small)
  })
})
