import { instantText } from './format';
import { element } from './table';

/** The slider steps so many seconds; while it plays it takes one step in each interval. */
const STEP_SECONDS = 10;
const PLAY_MS = 1000;
/** Seconds of the recording that one step of playing takes: a long one is through in about five minutes. */
const PLAY_SECONDS = { least: 30, steps: 300 };

/**
 * The control of time: a slider over what was recorded, a button that plays from there, and one that goes back to now.
 *
 * @param ask called with the instant that is chosen (epoch seconds), or `null` for now
 */
export class Timeline {
  readonly element = element('section', '', 'timeline');
  private readonly slider = document.createElement('input');
  private readonly label = element('output', 'Now');
  private readonly play = document.createElement('button');
  private readonly live = document.createElement('button');
  private timer: number | undefined;
  private from = 0;
  private to = 0;
  /** Epoch seconds; `null` for now. */
  at: number | null = null;

  constructor(private readonly ask: (at: number | null) => void) {
    this.slider.type = 'range';
    this.slider.step = String(STEP_SECONDS);
    this.slider.setAttribute('aria-label', 'Time');
    this.element.setAttribute('aria-label', 'Time');
    this.element.hidden = true;
    this.slider.addEventListener('input', () => {
      const value = Number(this.slider.value);
      this.stop();
      this.choose(value >= Number(this.slider.max) ? null : value);
    });
    this.play.addEventListener('click', () => (this.timer === undefined ? this.start() : this.stop()));
    this.live.addEventListener('click', () => {
      this.stop();
      this.choose(null);
      // The button is disabled now, and keys go on with the slider.
      this.slider.focus();
    });
    this.live.textContent = 'Now';
    this.element.append(this.slider, this.label, this.play, this.live);
    this.show();
  }

  /** @param recorded what can be chosen, epoch seconds; `null` where nothing was recorded */
  span(recorded: { from: number; to: number } | null): void {
    this.element.hidden = recorded === null;
    if (recorded) {
      this.from = recorded.from;
      this.to = recorded.to;
      this.show();
    }
  }

  private choose(at: number | null): void {
    this.at = at;
    this.show();
    this.ask(at);
  }

  private start(): void {
    if (this.at === null) {
      this.choose(this.from);
    }
    this.timer = window.setInterval(() => {
      const seconds = Math.ceil((this.to - this.from) / PLAY_SECONDS.steps / STEP_SECONDS) * STEP_SECONDS;
      const next = (this.at ?? this.to) + Math.max(PLAY_SECONDS.least, seconds);
      if (next >= this.to - STEP_SECONDS) {
        this.stop();
        this.choose(null);
      } else {
        this.choose(next);
      }
    }, PLAY_MS);
    this.show();
  }

  private stop(): void {
    clearInterval(this.timer);
    this.timer = undefined;
    this.show();
  }

  private show(): void {
    // The thumb reaches the end only where that is a whole number of steps away.
    const end = Math.ceil(this.to / STEP_SECONDS) * STEP_SECONDS;
    this.slider.min = String(Math.ceil(this.from / STEP_SECONDS) * STEP_SECONDS);
    this.slider.max = String(end);
    this.slider.value = String(this.at ?? end);
    this.label.textContent = this.at === null ? 'Now' : instantText(this.at);
    this.slider.setAttribute('aria-valuetext', this.label.textContent);
    this.play.textContent = this.timer === undefined ? 'Play' : 'Pause';
    this.live.disabled = this.at === null;
  }
}
