import { parse as parseYaml } from 'yaml';
import { z } from 'zod';
import { Fault } from '../faults/fault';
import { problemOf } from '../faults/problemOf';
import { MOST_THREADS } from './changes';
import { parseScaledObject, type ScaledObject } from '../settings/scaledObject';
import { threadsNeeded } from '../watch/capacity';
import { Hold } from '../watch/hold';

const whole = (fallback: number, most: number) => z.coerce.number().int().min(0).max(most).default(fallback);

/** The fields of a ScaledObject that decide how it scales, with KEDA's own defaults. */
const manifestSchema = z.object({
  spec: z.object({
    minReplicaCount: whole(0, 10_000),
    maxReplicaCount: whole(100, 10_000),
    pollingInterval: whole(30, 3600),
    cooldownPeriod: whole(300, 86_400),
    advanced: z
      .object({
        horizontalPodAutoscalerConfig: z
          .object({
            behavior: z
              .object({
                scaleDown: z.object({ stabilizationWindowSeconds: whole(300, 3600) }).optional(),
                scaleUp: z.object({ stabilizationWindowSeconds: whole(0, 3600) }).optional(),
              })
              .optional(),
          })
          .optional(),
      })
      .optional(),
    triggers: z
      .array(
        z.object({
          type: z.enum(['external', 'external-push']),
          metricType: z.enum(['AverageValue', 'Value']).default('AverageValue'),
          metadata: z.record(z.string(), z.coerce.string()),
        })
      )
      .length(1),
  }),
});

/** How workers are scaled. Times are seconds. */
export interface Scaling {
  readonly asked: ScaledObject;
  /** Queues of the trigger. */
  readonly queues: readonly string[];
  /** How late a job may be, by the trigger or the settings. */
  readonly objectiveSeconds: number;
  /** What one replica is to bear. */
  readonly target: number;
  readonly byRatio: boolean;
  readonly least: number;
  readonly most: number;
  readonly pollingInterval: number;
  readonly cooldownPeriod: number;
  readonly downWindow: number;
  readonly upWindow: number;
  /** Until a new replica takes jobs. */
  readonly startSeconds: number;
}

/**
 * Reads a ScaledObject in the form of docs/autoscaling.md.
 *
 * @param text YAML of the whole object
 * @throws Fault `query` naming the field
 */
export function parseScaling(
  text: string,
  startSeconds: number,
  queuesNamed: (name: string) => readonly string[],
  objectiveOf: (queue: string) => number
): Scaling {
  let manifest: unknown;
  try {
    manifest = parseYaml(text, { maxAliasCount: 10 });
  } catch {
    throw refused('it is no YAML');
  }
  const parsed = manifestSchema.safeParse(manifest);
  if (!parsed.success) {
    const { path, reason } = problemOf(parsed.error);
    throw refused(`${path.map(String).join('.') || 'its content'}: ${reason}`);
  }
  const { minReplicaCount, maxReplicaCount, pollingInterval, cooldownPeriod, advanced, triggers } = parsed.data.spec;
  const [trigger] = triggers;
  const asked = parseScaledObject(trigger!.metadata);
  const queues = asked.workerType === '' ? asked.queues : queuesNamed(asked.workerType);
  if (queues.length === 0) {
    throw refused(`no queue is of the worker type "${asked.workerType}"`);
  }
  const { threadsPerReplica } = asked;
  if (!Number.isInteger(threadsPerReplica) || threadsPerReplica * Math.max(1, maxReplicaCount) > MOST_THREADS) {
    throw refused(
      `spec.triggers.0.metadata.threadsPerReplica is no whole number, or more than ${MOST_THREADS.toLocaleString('en')} threads by spec.maxReplicaCount`
    );
  }
  if (maxReplicaCount < Math.max(1, minReplicaCount)) {
    throw refused('spec.maxReplicaCount is below spec.minReplicaCount, or 0');
  }
  const objectiveSeconds = asked.objectiveSeconds ?? Math.min(...queues.map(objectiveOf));
  const behavior = advanced?.horizontalPodAutoscalerConfig?.behavior;
  return {
    asked,
    queues,
    objectiveSeconds,
    target: asked.metric === 'latency' ? objectiveSeconds : asked.threadsPerReplica,
    byRatio: trigger!.metricType === 'Value',
    least: minReplicaCount,
    most: maxReplicaCount,
    pollingInterval,
    cooldownPeriod,
    downWindow: behavior?.scaleDown?.stabilizationWindowSeconds ?? 300,
    upWindow: behavior?.scaleUp?.stabilizationWindowSeconds ?? 0,
    startSeconds,
  };
}

function refused(reason: string): Fault {
  return new Fault({
    kind: 'query',
    message: `The option "scaledObject" cannot be used: ${reason}.`,
    remedy: 'Give a ScaledObject with one external trigger, as docs/autoscaling.md shows it.',
  });
}

/** What the scaler sees of its queues. Times are seconds. */
export interface Seen {
  readonly size: number;
  readonly waitSeconds: number;
  readonly busy: number;
  /** Thread-seconds of work that ended within the last ten minutes, and executions. */
  readonly workSeconds: number;
  readonly executions: number;
  /** Jobs pushed and taken within the last minute. */
  readonly pushed: number;
  readonly taken: number;
}

/** As the HPA looks, and as much as a tolerance lets pass (Kubernetes' defaults). */
const SYNC_SECONDS = 15;
const TOLERANCE = 0.1;
const MOST_PODS_AT_ONCE = 4;
/** Of which work the scaler tells. */
export const WORK_SECONDS = 600;

/**
 * Replicas over time as KEDA and the HPA set them: from nothing to one when there is something to do, at KEDA's polling
 * interval; to nothing after the cooldown; between, by the HPA's rule with its tolerance, its windows of stabilization and its
 * default policies. Sources: https://keda.sh/docs/latest/concepts/scaling-deployments/ and
 * https://kubernetes.io/docs/concepts/workloads/autoscaling/horizontal-pod-autoscale/#algorithm-details.
 */
export class Autoscaler {
  private readonly hold = new Hold();
  private readonly recommended: Array<{ at: number; replicas: number }> = [];
  private nextSync = 0;
  private nextPoll = 0;
  private activeAt = 0;

  constructor(
    private readonly scaling: Scaling,
    public replicas: number
  ) {}

  /** Takes what is seen at an instant. @returns the replicas that are wanted from now on */
  step(seen: Seen, now: number): number {
    const { least, most, cooldownPeriod, pollingInterval, asked } = this.scaling;
    const told = this.hold.keep(
      '',
      { active: seen.size > 0 || seen.busy > 0, value: this.value(seen) },
      asked.holdSeconds,
      now
    );
    if (told.active) {
      this.activeAt = now;
    }
    if (now >= this.nextPoll) {
      this.nextPoll = nextAfter(this.nextPoll, pollingInterval, now);
      if (this.replicas === 0 && told.active) {
        this.replicas = Math.max(1, least);
      } else if (least === 0 && this.replicas > 0 && !told.active && now - this.activeAt >= cooldownPeriod) {
        this.replicas = 0;
      }
    }
    if (now >= this.nextSync && this.replicas > 0) {
      this.nextSync = nextAfter(this.nextSync, SYNC_SECONDS, now);
      if (this.recommended.length === 0) {
        // The HPA takes what it finds for its first recommendation (`recordInitialRecommendation`).
        this.recommended.push({ at: now, replicas: this.replicas });
      }
      const bounded = Math.min(most, Math.max(1, least, this.desired(told.value)));
      this.replicas = this.stabilized(bounded, now);
    }
    return this.replicas;
  }

  private value({ size, waitSeconds, busy, workSeconds, executions, pushed, taken }: Seen): number {
    const { asked } = this.scaling;
    if (asked.metric === 'latency') {
      return waitSeconds;
    }
    const growth = taken > 0 ? Math.max(1, pushed / taken) : 1;
    const demand = Math.max((workSeconds / WORK_SECONDS) * growth, busy);
    const meanSeconds = executions === 0 ? null : workSeconds / executions;
    const objectiveSeconds = asked.metric === 'drain' ? asked.drainSeconds : this.scaling.objectiveSeconds;
    return threadsNeeded({ demand, takeable: size, meanSeconds, objectiveSeconds }) ?? Math.max(1, demand);
  }

  private desired(value: number): number {
    const { target, byRatio } = this.scaling;
    const ratio = byRatio ? value / target : value / (this.replicas * target);
    return Math.abs(ratio - 1) <= TOLERANCE ? this.replicas : Math.ceil(ratio * this.replicas - 1e-9);
  }

  /** The largest of the window downwards, the smallest upwards; and no more at once than the default policies allow. */
  private stabilized(replicas: number, now: number): number {
    const { downWindow, upWindow } = this.scaling;
    this.recommended.push({ at: now, replicas });
    while (this.recommended[0]!.at < now - Math.max(downWindow, upWindow)) {
      this.recommended.shift();
    }
    const within = (window: number) =>
      this.recommended.filter(({ at }) => at > now - window).map((each) => each.replicas);
    const up = Math.min(...within(upWindow), replicas);
    const down = Math.max(...within(downWindow), replicas);
    if (up > this.replicas) {
      return Math.min(up, Math.max(2 * this.replicas, this.replicas + MOST_PODS_AT_ONCE));
    }
    return down < this.replicas ? down : this.replicas;
  }
}

/** Looks keep their pace although they are taken a little late. */
function nextAfter(due: number, interval: number, now: number): number {
  return interval === 0 ? now : due + interval * Math.floor((now - due) / interval + 1);
}

/** The same with so many times the threshold: the time within which jobs are to be done. */
export function withThreshold(scaling: Scaling, factor: number): Scaling {
  const { asked, objectiveSeconds, target } = scaling;
  return asked.metric === 'drain'
    ? { ...scaling, asked: { ...asked, drainSeconds: asked.drainSeconds * factor } }
    : {
        ...scaling,
        asked: { ...asked, objectiveSeconds: objectiveSeconds * factor },
        objectiveSeconds: objectiveSeconds * factor,
        target: asked.metric === 'latency' ? target * factor : target,
      };
}

/** The field of the trigger that is the threshold, and its value in seconds. */
export function thresholdOf({ asked, objectiveSeconds }: Scaling): { field: string; seconds: number } {
  return asked.metric === 'drain'
    ? { field: 'drainSeconds', seconds: asked.drainSeconds }
    : { field: 'objectiveSeconds', seconds: objectiveSeconds };
}
