import { availableParallelism } from 'node:os'
import { describe, expect, it } from 'vitest'
import { environmentOf, poolBounds } from './settings.ts'

describe('poolBounds', () => {
  it('is 10 to 1000 workflow actors and 50 to 500 task actors unless told', () => {
    const thread = { max: Math.max(2, availableParallelism()) }
    expect(poolBounds({}, {})).toEqual({ workflow: { min: 10, max: 1_000 }, task: { min: 50, max: 500 }, thread })
    expect(poolBounds({ thread: { max: 1 } }, {}).thread).toEqual({ max: 1 })
  })

  it('takes the least from the environment', () => {
    const env = { WORKFLOW_ACTOR_POOL_SIZE: '3', TASK_ACTOR_POOL_SIZE: '700' }
    expect(poolBounds({}, env)).toMatchObject({ workflow: { min: 3, max: 1_000 }, task: { min: 700, max: 700 } })
    expect(poolBounds({}, { WORKFLOW_ACTOR_POOL_SIZE: '' })).toMatchObject({ workflow: { min: 10 } })
  })

  it('lets explicit options win over the environment', () => {
    const env = { WORKFLOW_ACTOR_POOL_SIZE: '3', TASK_ACTOR_POOL_SIZE: '7' }
    expect(poolBounds({ workflow: { min: 4, max: 5 }, task: { max: 2 } }, env)).toMatchObject({
      workflow: { min: 4, max: 5 },
      task: { min: 2, max: 2 },
    })
    expect(poolBounds({ task: { min: 900 } }, {})).toMatchObject({ task: { min: 900, max: 900 } })
  })

  it.each(['0', '-1', '1.5', 'many', '1e99', 'NaN'])(
    'refuses %s from the environment, by the name of the variable',
    (text) => {
      expect(() => poolBounds({}, { TASK_ACTOR_POOL_SIZE: text })).toThrow(
        `TASK_ACTOR_POOL_SIZE is "${text}": expected a whole number from 1.`,
      )
    },
  )

  it('refuses options that cannot be', () => {
    expect(() => poolBounds({ task: { min: 0 } }, {})).toThrow('pools.task.min is 0: expected a whole number from 1.')
    expect(() => poolBounds({ task: { max: 2.5 } }, {})).toThrow(
      'pools.task.max is 2.5: expected a whole number from 1.',
    )
    expect(() => poolBounds({ workflow: { min: 5, max: 4 } }, {})).toThrow(
      'pools.workflow.min is 5: expected at most pools.workflow.max, which is 4.',
    )
    expect(() => poolBounds({ workflow: { min: '5' as never } }, {})).toThrow('pools.workflow.min is "5"')
  })
})

describe('environmentOf', () => {
  it('is TROUPE_ENV, else NODE_ENV, else development', () => {
    expect(environmentOf({ TROUPE_ENV: 'staging', NODE_ENV: 'production' })).toBe('staging')
    expect(environmentOf({ NODE_ENV: 'production' })).toBe('production')
    expect(environmentOf({})).toBe('development')
    expect(environmentOf({ TROUPE_ENV: '', NODE_ENV: '' })).toBe('development')
  })
})
