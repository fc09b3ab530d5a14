// The part of the report that says what was read, what was left out and why, and what the data cannot tell.

import type { Findings } from './findings.ts'
import { escape } from './svg.ts'
import { plainTable } from './table.ts'
import { count, day, decimal } from './words.ts'

export function dataQuality(findings: Findings): string {
  return `<section aria-labelledby="quality">
<h2 id="quality">What the data are, and what was left out</h2>
${filesTable(findings)}
${badRows(findings)}
<ul class="notes">
${notes(findings)
  .map((note) => `<li>${escape(note)}</li>`)
  .join('\n')}
</ul>
</section>`
}

function filesTable({ files }: Findings): string {
  const rows = files.map(({ file, rows, bad, sha256 }) => [file, count(rows), count(bad), sha256.slice(0, 16)])
  return plainTable(['File', 'Rows read', 'Rows left out', 'SHA-256, first 16 digits'], rows)
}

function badRows({ badRows, files }: Findings): string {
  if (badRows.length === 0) {
    const flights = files.filter(({ file }) => file.endsWith('.json')).reduce((total, { rows }) => total + rows, 0)
    return `<p>All ${count(flights)} flight rows passed every check; none was left out.</p>`
  }
  const groups = badRows.map(({ file, reason, count: found, samples }) => {
    const shown = samples.map(({ row, text }) => `<li>row ${count(row)}: <code>${escape(text)}</code></li>`).join('')
    return `<li>${escape(file)}: <strong>${count(found)}</strong> × ${escape(reason)}<ul>${shown}</ul></li>`
  })
  return `<p>Rows that could not be counted, by reason, with the first of each; the first row of a file is row 0.</p><ul class="faults">${groups.join('')}</ul>`
}

function notes({ airportSample, overall, unknownAirports }: Findings): string[] {
  const { firstDay, lastDay, mean, flights } = airportSample
  const dates = firstDay && lastDay ? `, from ${day(firstDay)} to ${day(lastDay)},` : ''
  const unknown = unknownAirports.reduce((total, airport) => total + airport.flights, 0)
  return [
    'Both flight files are random samples of the on-time records that US airlines report to the Bureau of Transportation Statistics, as the npm package vega-datasets ships them. They overlap, so they are never added together.',
    `Hours, distances, spread and the overall figures come from flights-200k.json, which carries no dates. Airports come from flights-20k.json (${count(flights)} flights${dates} mean delay ${decimal(mean)} minutes, against ${decimal(overall.mean)} in the larger file).`,
    unknown === 0
      ? 'Every airport of departure was found in airports.csv.'
      : `Flights from airports missing in airports.csv, and so not on the map: ${count(unknown)} (${unknownAirports.map(({ iata }) => iata).join(', ')}).`,
    'Late means more than 15 minutes after the timetable. Means are of all flights, early ones counting as negative. Intervals assume independent flights; a bad day at an airport delays many at once, so the true ones are wider.',
    'State outlines: us-10m.json of vega-datasets, made from files of the US Census Bureau. Equal-area projection; Alaska, Hawaii and Puerto Rico at scales of their own.',
  ]
}
