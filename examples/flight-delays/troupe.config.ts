// For the command line: npx troupe run flight-delays --config examples/flight-delays/troupe.config.ts
import type { TroupeOptions } from 'troupe'
import { flightDelays } from './workflow.ts'

const options: TroupeOptions = { definitions: [flightDelays] }

// oxlint-disable-next-line import/no-default-export -- what the command line reads
export default options
