// The plans of the statements that run all the time: each uses the index it is meant to use, in a small store and in a large one.
import { afterEach, describe, expect, it } from 'vitest'
import { hotAdmissionStatements } from '../../src/store/sql/limiters/admission.ts'
import { hotContinueStatements } from '../../src/store/sql/runs/continues.ts'
import { hotCircleStatements } from '../../src/store/sql/runs/circles.ts'
import { hotChildStatements } from '../../src/store/sql/runs/children.ts'
import { hotFamilyStatements } from '../../src/store/sql/runs/families.ts'
import { hotCancelStatements } from '../../src/store/sql/runs/cancels.ts'
import { hotClaimStatements } from '../../src/store/sql/runs/claims.ts'
import { performNow, type Query } from '../../src/store/query.ts'
import { Connection } from '../../src/store/sqlite/connection/connection.ts'
import { hotAskStatements } from '../../src/store/sql/steps/asks.ts'
import { hotAuditStatements } from '../../src/store/sql/operating-store/audit.ts'
import { hotDeadStatements } from '../../src/store/sql/views/dead.ts'
import { hotInvestigationStatements } from '../../src/store/sql/operating-store/investigations.ts'
import { hotStaleStatements } from '../../src/store/sql/operating-store/stale.ts'
import { hotDueStatements } from '../../src/store/sql/runs/due.ts'
import { hotForkStatements } from '../../src/store/sql/operating-store/forks.ts'
import { hotJournalCopyStatements } from '../../src/store/sql/runs/journal-copies.ts'
import { hotGenerationStatements } from '../../src/store/sql/runs/generations.ts'
import { hotParkedStepStatements } from '../../src/store/sql/limiters/parked-steps.ts'
import { hotFinishedStatements } from '../../src/store/sql/runs/finished.ts'
import { hotEndingStatements } from '../../src/store/sql/runs/endings.ts'
import { hotEntityViewStatements } from '../../src/store/sql/views/entities.ts'
import { hotEntityStatements } from '../../src/store/sql/steps/entities.ts'
import { hotEventStatements } from '../../src/store/sql/events/events.ts'
import { hotDefinitionStatements } from '../../src/store/sql/definitions.ts'
import { hotFailureStatements } from '../../src/store/sql/events/failures.ts'
import { hotKeyStatements } from '../../src/store/sql/runs/keys.ts'
import { hotKnownStatements } from '../../src/store/sql/runs/known.ts'
import { hotLimitedStatements } from '../../src/store/sql/limiters/limited.ts'
import { hotLimiterStatements } from '../../src/store/sql/limiters/limiters.ts'
import { hotLeftoverStatements } from '../../src/store/sql/retention/leftovers.ts'
import { hotLineStatements } from '../../src/store/sql/limiters/lines.ts'
import { hotMarkStatements } from '../../src/store/sql/nodes/marks.ts'
import { hotMessageStatements } from '../../src/store/sql/steps/messages.ts'
import { hotRunsToEndStatements } from '../../src/store/sql/runs/runs-to-end.ts'
import { hotMoveStatements } from '../../src/store/sql/runs/moves.ts'
import { hotNodeStatements } from '../../src/store/sql/nodes/nodes.ts'
import { hotOldestStatements } from '../../src/store/sql/runs/oldest.ts'
import { hotReasonStatements } from '../../src/store/sql/views/reasons.ts'
import { hotRepairStatements } from '../../src/store/sql/repairs.ts'
import { hotRollupStatements } from '../../src/store/sql/views/rollup.ts'
import { hotResolveStatements } from '../../src/store/sql/operating-store/resolving.ts'
import { hotRunStatements } from '../../src/store/sql/runs/runs.ts'
import { hotNewRunStatements } from '../../src/store/sql/runs/new-runs.ts'
import { hotSettingAsideStatements } from '../../src/store/sql/operating-store/setting-aside.ts'
import { hotStateStatements } from '../../src/store/sql/steps/states.ts'
import { hotStepStatements } from '../../src/store/sql/steps/steps.ts'
import { hotStreamStatements } from '../../src/store/sql/steps/streams.ts'
import { hotTemplateStatements } from '../../src/store/sql/templates.ts'
import { hotTicketStatements } from '../../src/store/sql/limiters/tickets.ts'
import { hotTokenStatements } from '../../src/store/sql/steps/tokens.ts'
import { hotBufferedStatements } from '../../src/store/sql/schedules/buffered.ts'
import { hotScheduleStatements } from '../../src/store/sql/schedules/schedules.ts'
import { hotTickStatements } from '../../src/store/sql/schedules/ticks.ts'
import { hotUnfinishedStatements } from '../../src/store/sql/runs/unfinished.ts'
import { hotUpgradeStatements } from '../../src/store/sql/runs/upgrades.ts'
import { hotViewStatements } from '../../src/store/sql/views/views.ts'
import { hotWaitStatements } from '../../src/store/sql/steps/waits.ts'
import { hotUndoStatements } from '../../src/store/sql/runs/undoing.ts'
import { hotWakeStatements } from '../../src/store/sql/runs/wakes.ts'

const statements = {
  ...hotAskStatements,
  ...hotEntityStatements,
  ...hotEntityViewStatements,
  ...hotRunStatements,
  ...hotKeyStatements,
  ...hotNewRunStatements,
  ...hotClaimStatements,
  ...hotOldestStatements,
  ...hotRunsToEndStatements,
  ...hotMoveStatements,
  ...hotNodeStatements,
  ...hotFinishedStatements,
  ...hotChildStatements,
  ...hotCircleStatements,
  ...hotContinueStatements,
  ...hotFamilyStatements,
  ...hotEndingStatements,
  ...hotDueStatements,
  ...hotStateStatements,
  ...hotBufferedStatements,
  ...hotScheduleStatements,
  ...hotTickStatements,
  ...hotRollupStatements,
  ...hotStepStatements,
  ...hotTemplateStatements,
  ...hotStreamStatements,
  ...hotWaitStatements,
  ...hotUndoStatements,
  ...hotWakeStatements,
  ...hotUnfinishedStatements,
  ...hotUpgradeStatements,
  ...hotUnfinishedStatements,
  ...hotTokenStatements,
  ...hotMessageStatements,
  ...hotEventStatements,
  ...hotFailureStatements,
  ...hotDefinitionStatements,
  ...hotCancelStatements,
  ...hotMarkStatements,
  ...hotReasonStatements,
  ...hotDeadStatements,
  ...hotGenerationStatements,
  ...hotKnownStatements,
  ...hotJournalCopyStatements,
  ...hotForkStatements,
  ...hotResolveStatements,
  ...hotSettingAsideStatements,
  ...hotAuditStatements,
  ...hotInvestigationStatements,
  ...hotStaleStatements,
  ...hotLeftoverStatements,
  ...hotLimiterStatements,
  ...hotLimitedStatements,
  ...hotLineStatements,
  ...hotTicketStatements,
  ...hotParkedStepStatements,
  ...hotRepairStatements,
  ...hotAdmissionStatements,
  findFinishedRun: hotViewStatements.findFinishedRun,
  findOne: hotViewStatements.findOne,
  findMany: hotViewStatements.findMany,
  findManyLive: hotViewStatements.findManyLive,
  findManyDead: hotViewStatements.findManyDead,
  findManyChildren: hotViewStatements.findManyChildren,
  pickManyDead: hotViewStatements.pickManyDead,
  countManyDead: hotViewStatements.countManyDead,
  findStepViews: hotViewStatements.findSteps,
  findAttemptViews: hotViewStatements.findAttempts,
  findOpenWaits: hotViewStatements.findOpenWaits,
}

type Name = keyof typeof statements

const liveByKey = 'SEARCH live USING INTEGER PRIMARY KEY (rowid=?)'
/** The list of numbers a statement is given. */
const given = 'SCAN json_each VIRTUAL TABLE INDEX 1:'
const followed = ['SEARCH keyed USING INDEX keyed_run (run_id=?)', 'SEARCH first USING INTEGER PRIMARY KEY (rowid=?)']
const partOfLive = 'SEARCH live USING INTEGER PRIMARY KEY (rowid>? AND rowid<?)'
const nodeByKey = 'SEARCH node USING INTEGER PRIMARY KEY (rowid=?)'
/** What a packed query has found. */
const packedRows = 'SCAN (subquery-2)'
const runByKey = 'SEARCH run USING INTEGER PRIMARY KEY (rowid=?)'
const runById = 'SEARCH run USING INDEX sqlite_autoindex_run_1 (public_id=?)'
const runKeyById = 'SEARCH run USING COVERING INDEX sqlite_autoindex_run_1 (public_id=?)'
const stepByKey = 'SEARCH step USING PRIMARY KEY (run_id=? AND generation=? AND path=?)'
const resultsOfStep = 'SEARCH result USING PRIMARY KEY (run_id=? AND generation=? AND path>? AND path<?)'
const requestByKey = 'SEARCH cancel_request USING INTEGER PRIMARY KEY (rowid=?)'
const undoingByKey = 'SEARCH undoing USING INTEGER PRIMARY KEY (rowid=?)'
const stepsOfGeneration = 'SEARCH step USING PRIMARY KEY (run_id=? AND generation=?)'
const stepsOfRun = 'SEARCH step USING PRIMARY KEY (run_id=?)'
const markByKey = 'SEARCH mark USING PRIMARY KEY (node=? AND slot=?)'
const definitionByName = 'SEARCH definition USING COVERING INDEX sqlite_autoindex_definition_1 (name=?)'
/** The tags that are asked for, against those of a run. */
const asked = ['SCAN wanted VIRTUAL TABLE INDEX 1:', 'SCAN tag VIRTUAL TABLE INDEX 1:']
const messagesOfRun = 'SEARCH message USING PRIMARY KEY (run_id=?)'
const askByKey = 'SEARCH ask USING INTEGER PRIMARY KEY (rowid=?)'
const openAsksOfRun = 'SEARCH ask USING INDEX ask_open (run_id=?)'
const waitsOfRun = 'SEARCH wait USING PRIMARY KEY (run_id=?)'
const tokenByKey = 'SEARCH token USING PRIMARY KEY (hash=?)'
const tokensOfRun = 'SEARCH token USING INDEX token_run (run_id=?)'
const wholeRow = ['definition', 'queue'].map((table) => `SEARCH ${table} USING INTEGER PRIMARY KEY (rowid=?)`)
const endedOuter = [
  `${liveByKey} LEFT-JOIN`,
  'SEARCH finished USING PRIMARY KEY (run_id=? AND generation=?) LEFT-JOIN',
  'SEARCH newest USING PRIMARY KEY (run_id=?)',
]
const restOuter = [
  'SEARCH node USING INTEGER PRIMARY KEY (rowid=?) LEFT-JOIN',
  'SEARCH progress USING INTEGER PRIMARY KEY (rowid=?) LEFT-JOIN',
]
/** A run as people see it, what it keeps, and what waits for it. */
const entityOuter = [
  ...wholeRow,
  ...endedOuter,
  restOuter[0] ?? '',
  'SEARCH state USING PRIMARY KEY (run_id=?)',
  messagesOfRun,
  openAsksOfRun,
  'SCAN mail',
]
/** How it ends once it has undone what it did; the run that started it; the schedule that did, and its tick. */
const ofSchedule = [
  undoingByKey,
  undoingByKey,
  'SEARCH above USING INTEGER PRIMARY KEY (rowid=?)',
  'SEARCH child USING INTEGER PRIMARY KEY (rowid=?)',
  runByKey,
  'SEARCH schedule USING INTEGER PRIMARY KEY (rowid=?)',
  runByKey,
  runByKey,
]

const wholeRowOuter = [...endedOuter, ...restOuter, ...ofSchedule]
/** With the states that are asked for. */
const countedOuter = [...endedOuter, given, ...restOuter]
const listedOuter = [...countedOuter, ...ofSchedule]
const deadOfKind = 'SEARCH finished USING COVERING INDEX finished_dead (fingerprint=?)'
const outcomeByKey = 'SEARCH finished USING PRIMARY KEY (run_id=? AND generation=?)'
const liveOfSchedule = 'SEARCH live USING INDEX live_schedule (schedule=?)'
const declaring = ['SEARCH declared USING PRIMARY KEY (schedule=?)', 'SEARCH node USING INTEGER PRIMARY KEY (rowid=?)']
const nextSchedule = ['SEARCH schedule USING INDEX schedule_due (due_at>?)', ...declaring]

/** Every table a statement touches, and by what. A scan or a sort that is not listed fails the test. */
const expected: Readonly<Record<Name, readonly string[]>> = {
  checkRun: [liveByKey],
  closeInvestigation: ['SEARCH investigation USING PRIMARY KEY (run_id=?)'],
  findAgeingSlice: ['SEARCH live USING INTEGER PRIMARY KEY (rowid>?)', 'SCAN slice'],
  findAgeing: [
    partOfLive,
    given,
    runByKey,
    'SEARCH definition USING INTEGER PRIMARY KEY (rowid=?)',
    waitsOfRun,
    waitsOfRun,
  ],
  findSigns: [
    liveByKey,
    given,
    runByKey,
    stepsOfGeneration,
    'SEARCH attempt USING PRIMARY KEY (run_id=? AND generation=?)',
  ],
  findStale: [liveByKey],
  tellStale: [],
  findRunning: [liveByKey, given],
  findFirst: [
    'SEARCH definition USING INTEGER PRIMARY KEY (rowid=?)',
    'SEARCH first USING COVERING INDEX sqlite_autoindex_definition_1 (name=?)',
  ],
  findKeyed: [
    'SEARCH keyed USING PRIMARY KEY (scope=? AND definition=? AND key=?)',
    runByKey,
    'SEARCH definition USING INTEGER PRIMARY KEY (rowid=?)',
    ...wholeRowOuter.slice(0, 3),
  ],
  findInput: [runByKey],
  findFormer: [
    'SCAN CONSTANT ROW',
    'SCAN former',
    'SEARCH step USING PRIMARY KEY (run_id=? AND generation=?)',
    'SEARCH finished USING PRIMARY KEY (run_id=? AND generation=?)',
    'SCAN former',
    'SEARCH step USING PRIMARY KEY (run_id=? AND generation=? AND path=?)',
    'SEARCH run USING INDEX sqlite_autoindex_run_1 (public_id=?)',
    'SEARCH live USING INTEGER PRIMARY KEY (rowid=?)',
    'SEARCH undo USING PRIMARY KEY (run_id=? AND generation=? AND path=?)',
  ],
  findAbove: [runByKey, 'SCAN above', runByKey, 'SCAN above', liveByKey],
  findAwaited: [runKeyById, `${liveByKey} LEFT-JOIN`, `${waitsOfRun} LEFT-JOIN`],
  wakeUnbegun: [liveByKey, given, runByKey],
  takeFollowers: ['SEARCH keyed USING INDEX keyed_ahead (ahead=?)', given],
  addRarities: [runByKey],
  insertLives: ['SEARCH run USING INTEGER PRIMARY KEY (rowid>? AND rowid<?)'],
  findReady: ['SEARCH live USING INDEX live_ready (queue=?)', given, runByKey, packedRows],
  findGiven: [liveByKey, runByKey],
  // Of the scan of live_ready only the first row of each priority.
  findOldestOfEach: [
    'SEARCH live USING COVERING INDEX live_ready (queue=? AND priority<?)',
    'SCAN lower',
    'SEARCH live USING COVERING INDEX live_ready (queue=? AND priority<?)',
    'SCAN lower',
    'SEARCH live USING INDEX live_ready (queue=? AND priority=?)',
    given,
  ],
  findByAge: [
    'SEARCH live USING INDEX live_ready (queue=? AND priority=? AND run_id>? AND run_id<?)',
    given,
    runByKey,
    packedRows,
  ],
  findNextOldest: ['SEARCH live USING INDEX live_ready (queue=? AND priority=? AND run_id>?)', given],
  findOnly: [runById, given, liveByKey, given, 'SCAN queue', 'USE TEMP B-TREE FOR ORDER BY', 'SCAN (subquery-4)'],
  findOnlyLimited: [
    runKeyById,
    given,
    liveByKey,
    given,
    'SCAN queue',
    'SEARCH waiter USING COVERING INDEX waiter_run (run_id=?)',
  ],
  claimReady: [liveByKey, given],
  beginUndo: [liveByKey],
  findUndo: [liveByKey],
  markUndo: [liveByKey],
  findDecided: [undoingByKey],
  dropDecided: [undoingByKey, given],
  dropHeard: [requestByKey],
  findUndone: [stepsOfGeneration],
  forgetUndone: [stepsOfGeneration],
  beginRun: [liveByKey],
  retryRun: [liveByKey, requestByKey, stepsOfRun],
  parkRun: [liveByKey, requestByKey, stepsOfRun],
  releaseRun: [liveByKey, 'SEARCH token USING INDEX token_run (run_id=?)', runByKey, stepsOfRun],
  wakeDue: [liveByKey, 'SEARCH live USING INDEX live_due (due_at>? AND due_at<?)', ...followed, runByKey],
  findExpired: [
    'SEARCH live USING INDEX live_due (due_at>? AND due_at<?)',
    ...followed,
    runByKey,
    'SEARCH definition USING INTEGER PRIMARY KEY (rowid=?)',
  ],
  findNextDue: ['SCAN CONSTANT ROW', 'SEARCH live USING COVERING INDEX live_due (due_at>?)', ...nextSchedule],
  wakeBuffered: [liveByKey, liveOfSchedule, liveOfSchedule, runByKey],
  findTick: ['SEARCH run USING COVERING INDEX run_tick (schedule=? AND scheduled_at=?)'],
  findUnfinishedTicks: [liveOfSchedule, runByKey],
  findNextSchedule: nextSchedule,
  findDueSchedules: [
    'SEARCH schedule USING INDEX schedule_due (due_at<?)',
    ...declaring,
    'SEARCH definition USING INTEGER PRIMARY KEY (rowid=?)',
    'SEARCH run USING COVERING INDEX run_tick (schedule=?)',
    'SEARCH run USING INDEX run_tick (schedule=? AND scheduled_at>?)',
    'SEARCH run USING INDEX run_tick (schedule=? AND scheduled_at=?)',
    ...declaring,
    'SCAN declaring',
  ],
  findEnding: [liveByKey, given],
  findHeldEnding: [liveByKey, given],
  deleteLive: [liveByKey, given],
  insertFinished: ['SCAN 16 CONSTANT ROWS', 'SCAN ended', liveByKey],
  findSteps: ['SEARCH step USING PRIMARY KEY (run_id=? AND generation=?)', 'USE TEMP B-TREE FOR ORDER BY'],
  findLastUndone: ['SEARCH step USING PRIMARY KEY (run_id=? AND generation<?)', 'USE TEMP B-TREE FOR GROUP BY'],
  findFormerSteps: ['SEARCH step USING PRIMARY KEY (run_id=? AND generation<?)'],
  forgetSteps: ['SEARCH step USING PRIMARY KEY (run_id=? AND generation=? AND path>? AND path<?)'],
  forgetAttempts: ['SEARCH attempt USING PRIMARY KEY (run_id=? AND generation=? AND path>? AND path<?)'],
  beginAnew: [liveByKey, runByKey],
  markAnew: ['SEARCH run USING INTEGER PRIMARY KEY (rowid=?)', liveByKey],
  forgetJournal: ['SEARCH step USING PRIMARY KEY (run_id=? AND generation=?)'],
  findAttempts: [
    'SEARCH attempt USING PRIMARY KEY (run_id=? AND generation=?)',
    'SEARCH attempt USING PRIMARY KEY (run_id=? AND generation>?)',
    'SEARCH finished USING PRIMARY KEY (run_id=?)',
  ],
  upsertProgress: [],
  findEmitted: ['SEARCH emitted USING PRIMARY KEY (run_id=? AND (epoch,n)>(?,?))', runKeyById],
  findLogs: ['SEARCH log USING PRIMARY KEY (run_id=? AND (epoch,n)>(?,?))', runKeyById, given],
  dropEmitted: ['SEARCH emitted USING PRIMARY KEY (run_id=? AND epoch=? AND n<?)'],
  findWaits: ['SEARCH wait USING PRIMARY KEY (run_id=?)'],
  dropWait: ['SEARCH wait USING PRIMARY KEY (run_id=? AND path=?)'],
  dropWaitsWithin: ['SEARCH wait USING PRIMARY KEY (run_id=? AND path>? AND path<?)'],
  dropWaits: ['SEARCH wait USING PRIMARY KEY (run_id=?)'],
  dropWaitsOf: ['SEARCH wait USING PRIMARY KEY (run_id=?)', given],
  findRunOfMessage: [runKeyById, `${liveByKey} LEFT-JOIN`],
  findDue: [
    'SEARCH event USING COVERING INDEX event_due (subscription=? AND due_at<?)',
    given,
    'USE TEMP B-TREE FOR ORDER BY',
  ],
  take: ['SEARCH event USING INTEGER PRIMARY KEY (rowid=?)', given],
  deleteEvent: ['SEARCH event USING INTEGER PRIMARY KEY (rowid=?)'],
  putOff: ['SEARCH event USING INTEGER PRIMARY KEY (rowid=?)'],
  deleteEventsOf: ['SEARCH event USING INDEX event_due (subscription=?)'],
  findOfRun: ['SEARCH run USING INDEX sqlite_autoindex_run_1 (public_id=?)'],
  findByName: [
    'SEARCH definition USING INDEX sqlite_autoindex_definition_1 (name=?)',
    'SEARCH template USING INDEX sqlite_autoindex_template_2 (definition=?) LEFT-JOIN',
    'SCAN node',
    'SCAN served VIRTUAL TABLE INDEX 1:',
  ],
  findForm: ['SEARCH template USING INDEX sqlite_autoindex_template_2 (definition=?)'],
  findSince: ['SEARCH template USING INDEX sqlite_autoindex_template_3 (seq>?)'],
  nameTemplate: [
    'SEARCH template USING PRIMARY KEY (hash=?)',
    'SEARCH other USING COVERING INDEX template_named (namespace=? AND name=? AND named>?)',
    'SEARCH template USING COVERING INDEX sqlite_autoindex_template_3',
    'SEARCH template USING COVERING INDEX sqlite_autoindex_template_3',
  ],
  renewNamed: [
    'SEARCH template USING PRIMARY KEY (hash=?)',
    'SEARCH meant USING PRIMARY KEY (hash=?)',
    'SEARCH other USING COVERING INDEX template_named (namespace=? AND name=? AND named>?)',
  ],
  findRunsOfTemplates: ['SEARCH run USING INTEGER PRIMARY KEY (rowid>?)'],
  renewUsed: ['SEARCH template USING INDEX sqlite_autoindex_template_2 (definition=?)', given],
  findUntold: ['SEARCH failure USING INDEX failure_untold (definition=?)', given],
  takeUntold: [
    'SEARCH failure USING PRIMARY KEY (run_id=? AND generation=?)',
    'SEARCH failure USING INDEX failure_untold (definition=?)',
    given,
    'SEARCH node USING INTEGER PRIMARY KEY (rowid=?)',
  ],
  findFailed: [runByKey, 'SEARCH finished USING PRIMARY KEY (run_id=? AND generation=?)'],
  dropFailure: ['SEARCH failure USING PRIMARY KEY (run_id=? AND generation=?)'],
  findRunOfEvent: [runByKey, 'SEARCH definition USING INTEGER PRIMARY KEY (rowid=?)'],
  findRunAsked: [runKeyById, `${liveByKey} LEFT-JOIN`, waitsOfRun],
  dropLate: ['SEARCH ask USING INDEX ask_until (until_at<?)'],
  countOpen: ['SEARCH ask USING COVERING INDEX ask_open (run_id=?)'],
  findOpen: [openAsksOfRun, given],
  findOpenOf: [openAsksOfRun],
  takeAsk: [askByKey],
  setReply: [askByKey],
  untakeAsks: ['SEARCH ask USING INDEX ask_run (run_id=?)'],
  findAskEnds: ['SCAN asked VIRTUAL TABLE INDEX 1:', `${askByKey} LEFT-JOIN`, `${liveByKey} LEFT-JOIN`, waitsOfRun],
  withdrawAsk: [askByKey],
  countMessages: [messagesOfRun],
  findWaitForMessage: ['SEARCH wait USING PRIMARY KEY (run_id=?)'],
  findMessages: ['SEARCH message USING PRIMARY KEY (run_id=? AND seq>?)', runKeyById],
  findMessage: [messagesOfRun],
  findMail: [
    'SEARCH message USING PRIMARY KEY (run_id=? AND seq>?)',
    'SEARCH ask USING INDEX ask_open (run_id=? AND seq>?)',
  ],
  findAllEntities: ['SEARCH keyed USING PRIMARY KEY (scope=?)', runByKey, ...entityOuter],
  findEntitiesOf: [
    'SEARCH keyed USING PRIMARY KEY (scope=? AND definition=? AND key>?)',
    definitionByName,
    runByKey,
    ...entityOuter,
  ],
  findEntity: [
    'SEARCH keyed USING PRIMARY KEY (scope=? AND definition=? AND key=?)',
    definitionByName,
    runByKey,
    ...entityOuter,
  ],
  renewDeliveries: [liveByKey],
  dropOldRefused: ['SEARCH message USING PRIMARY KEY (run_id=? AND seq<?)', messagesOfRun],
  refuseMessage: ['SEARCH message USING PRIMARY KEY (run_id=? AND seq=?)'],
  deleteMessage: ['SEARCH message USING PRIMARY KEY (run_id=? AND seq=?)'],
  wakeWaiting: [liveByKey, runByKey],
  findToken: [tokenByKey, runByKey, `${liveByKey} LEFT-JOIN`],
  useToken: [tokenByKey],
  hearOfToken: [tokenByKey],
  moveWait: ['SEARCH wait USING PRIMARY KEY (run_id=? AND path=?)'],
  moveDue: [liveByKey, 'SEARCH wait USING PRIMARY KEY (run_id=?)'],
  findResult: [tokensOfRun],
  findAwaiting: [tokensOfRun],
  moveToClaim: [tokensOfRun, 'SEARCH wait USING PRIMARY KEY (run_id=? AND path=?)'],
  hearOfRun: [tokensOfRun],
  closeTokens: [tokensOfRun],
  closeTokensAt: [tokensOfRun],
  closeTokensInside: [tokensOfRun],
  findAwaitingSteps: [tokensOfRun],
  findCompletions: [tokensOfRun],
  dropAwaited: ['SEARCH wait USING PRIMARY KEY (run_id=?)'],
  dropAwaitedAt: ['SEARCH wait USING PRIMARY KEY (run_id=? AND path=?)'],
  upsertState: [],
  deleteState: ['SEARCH state USING PRIMARY KEY (run_id=? AND key=?)'],
  markState: [liveByKey],
  findStates: ['SEARCH state USING PRIMARY KEY (run_id=?)'],
  dropStatesOf: ['SEARCH state USING PRIMARY KEY (run_id=?)', given],
  addEnded: [],
  findEnded: [definitionByName, 'SEARCH rollup USING PRIMARY KEY (definition=?)', 'USE TEMP B-TREE FOR ORDER BY'],
  findLive: [runKeyById, `${liveByKey} LEFT-JOIN`],
  // Holds only what was asked of runs that run.
  findAsked: ['SCAN cancel_request', liveByKey, 'SCAN taken'],
  findMark: [markByKey],
  updateAnswer: [markByKey],
  findWaiting: [
    'SCAN asked VIRTUAL TABLE INDEX 1:',
    runKeyById,
    liveByKey,
    'SEARCH node USING INTEGER PRIMARY KEY (rowid=?)',
    waitsOfRun,
    'SEARCH waiter USING COVERING INDEX waiter_run (run_id=?)',
    'SEARCH queue USING INTEGER PRIMARY KEY (rowid=?)',
    'SEARCH definition USING INTEGER PRIMARY KEY (rowid=?)',
    'SEARCH schedule USING INTEGER PRIMARY KEY (rowid=?) LEFT-JOIN',
    'SEARCH node USING INTEGER PRIMARY KEY (rowid=?)',
    waitsOfRun,
    waitsOfRun,
    waitsOfRun,
    waitsOfRun,
    waitsOfRun,
    waitsOfRun,
    waitsOfRun,
    waitsOfRun,
    waitsOfRun,
    waitsOfRun,
    'SEARCH keyed USING INDEX keyed_run (run_id=?)',
    'SEARCH ahead USING INTEGER PRIMARY KEY (rowid=?)',
    'SEARCH waiter USING COVERING INDEX waiter_run (run_id=?)',
  ],
  deleteOfRuns: ['SEARCH slot USING INDEX slot_run (run_id=?)', 'SCAN json_each VIRTUAL TABLE INDEX 1:'],
  deleteOfTickets: ['SEARCH slot USING INDEX slot_ticket (ticket=?)', 'SCAN json_each VIRTUAL TABLE INDEX 1:'],
  deleteWaiters: ['SEARCH waiter USING INDEX waiter_ticket (ticket=?)', 'SCAN json_each VIRTUAL TABLE INDEX 1:'],
  deleteWaitersOf: ['SEARCH waiter USING INDEX waiter_run (run_id=?)', 'SCAN json_each VIRTUAL TABLE INDEX 1:'],
  findBounds: ['SEARCH limiter USING INTEGER PRIMARY KEY (rowid=?)'],
  findCandidate: ['SEARCH run USING INTEGER PRIMARY KEY (rowid=?)', 'SEARCH live USING INTEGER PRIMARY KEY (rowid=?)'],
  findPasses: ['SEARCH line USING PRIMARY KEY (limiter=? AND key=? AND queue=? AND definition=?)'],
  findOldestInLine: [
    'SEARCH waiter USING PRIMARY KEY (limiter=? AND key=? AND queue=? AND definition=?)',
    'SCAN level',
    'SEARCH waiter USING PRIMARY KEY (limiter=? AND key=? AND queue=? AND definition=? AND priority<?)',
    'SCAN level',
    'SEARCH waiter USING PRIMARY KEY (limiter=? AND key=? AND queue=? AND definition=? AND priority=?)',
    'USE TEMP B-TREE FOR ORDER BY',
  ],
  findHead: ['SEARCH waiter USING PRIMARY KEY (limiter=? AND key=? AND queue=? AND definition=?)'],
  findLastOfAll: ['SEARCH slot USING PRIMARY KEY (limiter=?)'],
  findLastOfKey: ['SEARCH slot USING PRIMARY KEY (limiter=? AND key=?)'],
  findLineOfAny: ['SEARCH line USING PRIMARY KEY (limiter=?)'],
  findLineOfKey: ['SEARCH line USING PRIMARY KEY (limiter=? AND key=?)'],
  findNextInLine: [
    'SEARCH line USING INDEX line_open (queue=? AND limiter=?)',
    'SCAN json_each VIRTUAL TABLE INDEX 1:',
  ],
  findHeads: ['SEARCH line USING INDEX line_open (queue=? AND limiter=?)'],
  findPassed: ['SEARCH slot USING INDEX slot_node (node=?)'],
  findSlots: ['SEARCH slot USING COVERING INDEX slot_ticket (ticket=?)'],
  findHeldUp: ['SEARCH slot USING COVERING INDEX slot_run (run_id=?)', 'SEARCH line USING PRIMARY KEY (limiter=?)'],
  findPlace: [liveByKey],
  findStep: ['SEARCH waiter USING INDEX waiter_ticket (ticket=?)', liveByKey],
  findNewestRun: [runById, `${liveByKey} LEFT-JOIN`, 'SEARCH finished USING PRIMARY KEY (run_id=?) LEFT-JOIN'],
  findRecorded: [stepByKey],
  findTried: ['SEARCH attempt USING PRIMARY KEY (run_id=? AND generation=? AND path=?)'],
  findOpenSteps: [
    waitsOfRun,
    'SEARCH attempt USING PRIMARY KEY (run_id=? AND generation=?)',
    stepByKey,
    'SEARCH step USING PRIMARY KEY (run_id=? AND generation=?)',
  ],
  findUndoable: [stepsOfGeneration],
  findWaitOfStep: ['SEARCH wait USING PRIMARY KEY (run_id=? AND path=?)'],
  insertResult: [liveByKey, 'SEARCH step USING PRIMARY KEY (run_id=? AND generation>? AND generation<?)'],
  findDiverged: [waitsOfRun],
  wakeSetAside: [liveByKey, runByKey],
  findKnown: [stepsOfGeneration, waitsOfRun, 'SEARCH attempt USING PRIMARY KEY (run_id=? AND generation=?)'],
  copySucceeded: [
    'SEARCH step USING PRIMARY KEY (run_id=? AND generation=?)',
    runKeyById,
    runKeyById,
    liveByKey,
    'SEARCH finished USING PRIMARY KEY (run_id=?)',
    resultsOfStep,
    resultsOfStep,
  ],
  copyBefore: [
    'SEARCH step USING PRIMARY KEY (run_id=? AND generation=?)',
    resultsOfStep,
    runKeyById,
    'SEARCH run USING INDEX sqlite_autoindex_run_1 (public_id=?)',
    liveByKey,
    'SEARCH finished USING PRIMARY KEY (run_id=?)',
    resultsOfStep,
  ],
  keepChildren: [stepsOfGeneration, runKeyById],
  findForkOfKey: ['SEARCH fork_key USING PRIMARY KEY (source=? AND key=?)', runByKey],
  findOwnKey: ['SEARCH fork_key USING COVERING INDEX fork_key_run (run_id=?)'],
  shareChildren: [
    'SEARCH run USING INTEGER PRIMARY KEY (rowid=?)',
    'SEARCH step USING PRIMARY KEY (run_id=? AND generation=?)',
    runKeyById,
    liveByKey,
  ],
  wakeForStep: [liveByKey],
  findNews: [
    'SCAN CONSTANT ROW',
    'SEARCH slot USING INDEX slot_node (node=?)',
    'SEARCH line USING COVERING INDEX line_due (opens_at>? AND opens_at<?)',
  ],
  findFirstRun: ['SEARCH line USING PRIMARY KEY (limiter=? AND key=? AND queue>?)', 'USE TEMP B-TREE FOR ORDER BY'],
  markSlots: [liveByKey],
  findWaiter: ['SEARCH waiter USING INDEX waiter_ticket (ticket=?)', `${liveByKey} LEFT-JOIN`],
  findFirstTicket: ['SEARCH line USING INDEX line_ticket (limiter=?)'],
  findOpenLimiters: [
    'SEARCH line USING COVERING INDEX line_open (queue=?)',
    'SCAN found',
    'SEARCH line USING COVERING INDEX line_open (queue=? AND limiter>?)',
    'SCAN found',
  ],
  findOpening: [
    'SCAN CONSTANT ROW',
    'SCAN line USING COVERING INDEX line_open',
    'SEARCH line USING COVERING INDEX line_due (opens_at>?)',
  ],
  findPace: ['SEARCH pace USING PRIMARY KEY (limiter=? AND key=?)'],
  findSlice: ['SEARCH live USING INTEGER PRIMARY KEY (rowid>?)', 'SCAN slice'],
  findHeldIn: [partOfLive],
  findClosed: [
    partOfLive,
    'SEARCH waiter USING COVERING INDEX waiter_run (run_id=?)',
    'SEARCH line USING PRIMARY KEY (limiter=? AND key=? AND queue=? AND definition=?)',
  ],
  findForgotten: [
    partOfLive,
    nodeByKey,
    'SEARCH slot USING INDEX slot_run (run_id=?)',
    'SEARCH waiter USING COVERING INDEX waiter_run (run_id=?)',
    'SEARCH line USING PRIMARY KEY (limiter=? AND key=? AND queue=? AND definition=?)',
    requestByKey,
    'SEARCH other USING INDEX live_schedule (schedule=?)',
    waitsOfRun,
    waitsOfRun,
    waitsOfRun,
    runByKey,
    waitsOfRun,
    runKeyById,
    'SEARCH awaited USING INTEGER PRIMARY KEY (rowid=?)',
    messagesOfRun,
    messagesOfRun,
    openAsksOfRun,
    openAsksOfRun,
    tokensOfRun,
    waitsOfRun,
    'SEARCH waiter USING INDEX waiter_run (run_id=?)',
    ...followed,
    nodeByKey,
  ],
  openDue: ['SEARCH line USING INDEX line_due (opens_at>? AND opens_at<?)'],
  updateTurn: ['SEARCH line USING PRIMARY KEY (limiter=? AND key=?)'],
  findStarted: [runById, `${liveByKey} LEFT-JOIN`],
  findFinishedRun: [runKeyById, `${liveByKey} LEFT-JOIN`, 'SEARCH finished USING PRIMARY KEY (run_id=?) LEFT-JOIN'],
  findOne: [runById, ...wholeRow, ...wholeRowOuter],
  // Backwards along the key until there are enough.
  findMany: ['SCAN run', ...asked, ...wholeRow, ...listedOuter],
  findManyLive: [runByKey, 'SCAN live', given, ...asked, ...wholeRow, ...listedOuter],
  findManyDead: [runByKey, deadOfKind, ...asked, ...wholeRow, ...listedOuter],
  findManyChildren: [
    runByKey,
    'SEARCH run USING COVERING INDEX run_parent (parent=?)',
    'SEARCH above USING COVERING INDEX sqlite_autoindex_run_1 (public_id=?)',
    ...asked,
    ...wholeRow,
    ...listedOuter,
  ],
  pickManyDead: [runByKey, deadOfKind, ...asked, ...wholeRow, ...endedOuter, given],
  countManyDead: [runByKey, deadOfKind, ...asked, ...wholeRow, ...countedOuter],
  findGroups: ['SEARCH finished USING COVERING INDEX finished_dead (fingerprint>?)', 'USE TEMP B-TREE FOR ORDER BY'],
  findGroup: [deadOfKind, 'USE TEMP B-TREE FOR ORDER BY'],
  findGroupsOf: [
    'SEARCH finished USING COVERING INDEX finished_dead (fingerprint>?)',
    runByKey,
    definitionByName,
    'USE TEMP B-TREE FOR ORDER BY',
  ],
  findNewest: [deadOfKind, runByKey, definitionByName],
  findAttemptViews: [
    'SEARCH attempt USING PRIMARY KEY (run_id=?)',
    runKeyById,
    'USE TEMP B-TREE FOR ORDER BY',
    'SEARCH ended USING PRIMARY KEY (run_id=?)',
    runKeyById,
    liveByKey,
    'SEARCH later USING PRIMARY KEY (run_id=? AND generation>?)',
    'USE TEMP B-TREE FOR ORDER BY',
  ],
  insertLive: [
    runByKey,
    outcomeByKey,
    'SEARCH state USING PRIMARY KEY (run_id=?)',
    'SEARCH child USING INDEX run_parent (parent=?)',
    stepsOfGeneration,
  ],
  openAgain: [runByKey],
  forgetDead: ['SEARCH finished USING PRIMARY KEY (run_id=?)'],
  linkChild: [runByKey, 'SEARCH above USING INTEGER PRIMARY KEY (rowid=?)'],
  markParent: [liveByKey],
  findAttached: [
    'SEARCH run USING INDEX run_parent (parent=? AND rowid>?)',
    liveByKey,
    'SEARCH definition USING INTEGER PRIMARY KEY (rowid=?)',
    'SEARCH above USING INTEGER PRIMARY KEY (rowid=?) LEFT-JOIN',
  ],
  findRest: ['SEARCH ending USING INTEGER PRIMARY KEY (rowid=?)'],
  markFollowed: [liveByKey, 'SCAN asked VIRTUAL TABLE INDEX 1:', runKeyById],
  moveLive: [liveByKey],
  moveRun: [runByKey],
  renewStep: ['SEARCH step USING PRIMARY KEY (run_id=? AND generation=? AND path=?)'],
  findUnfinished: [
    'SEARCH live USING INTEGER PRIMARY KEY (rowid>?)',
    runByKey,
    'SEARCH definition USING INTEGER PRIMARY KEY (rowid=?)',
    'SCAN (subquery-1)',
  ],
  wakeDiverged: [liveByKey, 'SCAN wait USING COVERING INDEX wait_diverged', given, runByKey],
  findWaitingForRun: [runByKey, given, 'SEARCH wait USING COVERING INDEX wait_run (name=?)', liveByKey],
  findEnds: ['SCAN asked VIRTUAL TABLE INDEX 1:', `${runKeyById} LEFT-JOIN`, ...endedOuter],
  // Backwards along the key.
  findAudit: ['SCAN audit'],
  deleteAudit: ['SEARCH audit USING INTEGER PRIMARY KEY (rowid=?)', 'SCAN audit'],
  deleteOldEvents: ['SEARCH event USING INTEGER PRIMARY KEY (rowid=?)', 'SCAN event'],
  deleteSomeEventsOf: [
    'SEARCH event USING INTEGER PRIMARY KEY (rowid=?)',
    'SEARCH event USING COVERING INDEX event_due (subscription=?)',
  ],
  findOpenWaits: ['SEARCH wait USING PRIMARY KEY (run_id=?)', runKeyById, 'USE TEMP B-TREE FOR ORDER BY'],
  findStepViews: [
    runKeyById,
    'SEARCH step USING PRIMARY KEY (run_id=? AND generation=?)',
    liveByKey,
    'SEARCH finished USING PRIMARY KEY (run_id=?)',
    'USE TEMP B-TREE FOR ORDER BY',
  ],
}

let connection: Connection | undefined

afterEach(() => connection?.close())

describe.each([
  ['an empty store', 0, false],
  ['10,000 live runs', 10_000, false],
  ['10,000 live runs and statistics', 10_000, true],
])('with %s', (_name, runs, isAnalyzed) => {
  it('every statement uses its index and scans no table that grows', async () => {
    const db = await storeWith(runs, isAnalyzed)
    const plans = Object.fromEntries(names.map((name) => [name, planOf(db, name)]))
    expect(plans).toEqual(expected)
  })
})

describe('with 10,000 live runs and without an index', () => {
  it.each([
    ['live_ready', 'findReady', 'SCAN live'],
    ['live_due', 'wakeDue', 'SCAN live'],
    ['live_due', 'findNextDue', 'SEARCH live'],
  ] as const)('a plan shows that %s is missing from %s', async (index, name, withoutIt) => {
    const db = await storeWith(10_000, false)
    performNow(db.run(`drop index ${index}`))
    expect(planOf(db, name)).toContain(withoutIt)
  })
})

const names = Object.keys(statements) as Name[]

async function storeWith(runs: number, isAnalyzed: boolean): Promise<Connection> {
  const db = await Connection.open({ path: ':memory:', synchronous: 'full' })
  connection = db
  if (runs > 0) db.write(() => fill(db, runs))
  if (isAnalyzed) performNow(db.run('analyze'))
  return db
}

/** Runs of three queues: a quarter running, a quarter parked, the rest ready, each with a step. */
function* fill(db: Connection, runs: number): Query<void> {
  const numbers = `with recursive n (i) as (select 1 union all select i + 1 from n where i < ${runs})`
  yield* db.run(
    `insert into run (id, public_id, definition, queue, input, tags, created_at, deadline_at) ${numbers} select i, 'run-' || i, 1, 1 + i % 3, 'j{}', null, i, null from n`,
  )
  yield* db.run(`insert into live (run_id, generation, state, queue, definition, priority, due_at, node, epoch, attempt, deliveries, started_at, has_state, limited, has_slots, has_begun) ${numbers}
    select i, 1, case i % 4 when 0 then 'running' when 1 then 'parked' else 'ready' end,
      1 + i % 3, 1, i % 5, case i % 4 when 1 then i end, case i % 4 when 0 then 1 end, i, 1, 0, null, i % 2, 0, 0, 1 from n`)
  yield* db.run(`insert into step ${numbers} select i, 1, 'a', 1, 'step', 1, 0, 'j1', i, i, i, 0 from n`)
  yield* db.run(`insert into state ${numbers} select i, 'key', 'j1' from n`)
  yield* db.run(`insert into finished ${numbers} select i, 1, 'succeeded', 'j1', 1, i, i, i, null, null, null from n`)
}

/** The lines that name a table or a sort. */
function planOf(db: Connection, name: Name): string[] {
  const rows = performNow(db.all<{ detail: string }>(`explain query plan ${statements[name]}`))
  const lines = rows.map(({ detail }) => detail)
  return lines.filter((line) => /^(SEARCH|SCAN|USE) /.test(line))
}
