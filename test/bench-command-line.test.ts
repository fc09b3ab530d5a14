// What the benches are told on their command lines.
import { describe, expect, it } from 'vitest'
import { readOptions, usageText } from '../bench/command-line.ts'

describe('the command line of a bench', () => {
  it('has defaults, and what one bench alone takes', () => {
    expect(readOptions([])).toEqual({ only: '', peers: true, rounds: 3, own: {} })
    expect(
      readOptions(['--only', 'wake', '--no-peers', '--rounds', '1', '--redis', '7000'], { redis: '6379' }),
    ).toEqual({ only: 'wake', peers: false, rounds: 1, own: { redis: '7000' } })
  })

  it.each([
    [['--nope'], "Unknown option '--nope'"],
    [['wake'], "Unexpected argument 'wake'"],
    [['--rounds'], "Option '--rounds <value>' argument missing"],
    [['--rounds', '--only'], "Option '--rounds' argument is ambiguous"],
    [['--rounds', '0'], '--rounds is 0, and is to be a whole number of 1 or more'],
  ])('says in a line what is wrong with %j', (args, told) => {
    expect(readOptions(args)).toBe(told)
  })

  it.each([['--help'], ['-h']])('gives its usage for %s', (flag) => {
    expect(readOptions([flag, '--rounds', '0'])).toBe('help')
    expect(usageText('queue', { redis: '6379' })).toBe(
      [
        'Usage: npm run bench:queue -- [options]',
        '',
        '  --only TEXT     only what has this in its name',
        '  --no-peers      without other libraries beside',
        '  --rounds N      how often each is measured; 3 unless told',
        '  --redis REDIS   6379 unless told',
        '  --help          this text',
      ].join('\n'),
    )
  })
})
