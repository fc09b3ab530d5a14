import { describe, expect, it } from 'vitest'
import { loadTemplate } from '../template.ts'
import { diff } from './diff.ts'
import { mermaid } from './mermaid.ts'
import { svg } from './svg.ts'

const load = (steps: readonly object[], more: object = {}) =>
  loadTemplate(JSON.stringify({ name: 'order', steps, ...more }), { format: 'json' }).template

const decided = load([
  { name: 'start', uses: 'w' },
  { name: 'route', uses: 'w', needs: 'start', type: 'decision' },
  { name: 'left', uses: 'w', needs: 'route', onError: { fallback: 'other' } },
  { name: 'other', uses: 'w' },
  { name: 'join "all"; <b>&', uses: 'w', needs: ['left', 'left'], type: 'deferred_convergence' },
])

describe('a picture', () => {
  it('in Mermaid has nodes by role, edges once, and escaped names', () => {
    expect(mermaid(decided)).toBe(
      [
        'flowchart TD',
        '  s0["start"]',
        '  s1{"route<br/><i>decision</i>"}',
        '  s2["left"]',
        '  s3["other"]',
        '  s4(("join #34;all#34;#59; #60;b#62;#38;<br/><i>deferred_convergence</i>"))',
        '  s0 --> s1',
        '  s1 --> s2',
        '  s2 -. "on error" .-> s3',
        '  s2 --> s4',
        '',
      ].join('\n'),
    )
  })

  it('in SVG has a box for each step, in rows by level, and a line for each edge', () => {
    const picture = svg(decided)
    expect(picture.match(/<rect /g)).toHaveLength(5)
    expect(picture.match(/<path d="M\d/g)).toHaveLength(4 + 1)
    expect(picture.match(/stroke-dasharray/g)).toHaveLength(1)
    expect(picture).toContain('join &quot;all&quot;; &lt;b&gt;&amp;')
    expect(picture).not.toContain('<b>')
    const rows = [...picture.matchAll(/<rect x="[\d.]+" y="(\d+)"/g)].map((match) => Number(match[1]))
    expect(rows).toEqual([20, 112, 204, 296, 296])
    expect(picture).toMatch(/^<svg xmlns="http:\/\/www\.w3\.org\/2000\/svg" width="424" height="360"/)
  })

  it('leaves out what XML forbids', () => {
    expect(svg({ name: 'a\u0000\u0008b', steps: [] })).toContain('<title>ab</title>')
  })

  it('of 10,000 steps is drawn', () => {
    const chain = Array.from({ length: 10_000 }, (_, index) => ({
      name: `s${index}`,
      uses: 'w',
      ...(index > 0 && { needs: `s${index - 1}` }),
    }))
    const template = load(chain)
    expect(svg(template).match(/<rect /g)).toHaveLength(10_000)
    expect(mermaid(template).split('\n')).toHaveLength(20_001)
  })
})

describe('the differences of two templates', () => {
  const before = [
    { name: 'a', uses: 'w', timeout: '30s' },
    { name: 'b', uses: 'w', needs: ['a'], retry: { attempts: 3, base: '1s' } },
    { name: 'c', uses: 'w' },
  ]

  it('are told in words', () => {
    const after = [
      { name: 'a', uses: 'v', timeout: '30s', with: { x: 1 } },
      { name: 'b', uses: 'w', needs: ['d'], retry: { attempts: 5, base: '1s' } },
      { name: 'd', uses: 'w', needs: 'a' },
    ]
    expect(diff(load(before, { version: '1' }), load(after, { version: '2', failure: 'finish_independent' }))).toEqual([
      'version was "1" and is "2".',
      'failure is new: "finish_independent".',
      "Step 'c' is gone.",
      `Step 'a': uses was "w" and is "v".`,
      `Step 'a': with is new: {"x":1}.`,
      "Step 'b' now needs d.",
      "Step 'b' no longer needs a.",
      "Step 'b': retry.attempts was 3 and is 5.",
      "Step 'd' is new: it needs a.",
    ])
  })

  it('are none where they say the same', () => {
    expect(diff(load(before), load([...before].reverse()))).toEqual([])
  })
})
