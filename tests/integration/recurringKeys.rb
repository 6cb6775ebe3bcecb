# frozen_string_literal: true

# Writes entries with the real sidekiq-cron and sidekiq-scheduler to REDIS_URL and prints, as JSON, what these gems say
# of them: name, whether enabled, last and next run in epoch seconds. Next is fugit's first instant after the last run.

require 'sidekiq'
require 'sidekiq/capsule'
require 'sidekiq-cron'
require 'sidekiq-scheduler'
require 'json'

Sidekiq.configure_client { |config| config.redis = { url: ENV.fetch('REDIS_URL') } }
Sidekiq.logger.level = Logger::ERROR

class Report
  include Sidekiq::Job
  sidekiq_options queue: 'reports'
  def perform; end
end

# sidekiq-cron 1.x calls it enque!
def run(job, at)
  job.public_send(job.respond_to?(:enqueue!) ? :enqueue! : :enque!, Time.at(at).utc)
end

def next_after(line, time)
  Fugit.parse(line).next_time(time).to_f.round
end

HOUR = 3600
now = Time.now.to_i
entries = []

# name, cron line, ran (seconds ago) or nil, enabled
[
  ['hourly', '5 * * * *', 2 * HOUR, true],
  ['zoned', '30 4 * * * Europe/Berlin', 30 * HOUR, true],
  ['last day', '0 3 L * *', 40 * 24 * HOUR, true],
  ['second monday', '15 9 * * mon#2', 40 * 24 * HOUR, true],
  ['every third week day', '0 6 * * mon%3', 40 * 24 * HOUR, true],
  ['daily', '@daily', 26 * HOUR, true],
  ['seconds', '*/20 * * * * *', 90, true],
  ['off', '* * * * *', HOUR, false],
].each do |name, line, ago, enabled|
  job = Sidekiq::Cron::Job.new('name' => name, 'cron' => line, 'class' => 'Report',
                               'status' => enabled ? 'enabled' : 'disabled')
  raise job.errors.inspect unless job.save

  last = now - ago
  run(job, last)
  entries << { source: 'sidekiq-cron', name: name, enabled: enabled, last: last,
               next: enabled ? next_after(line, Time.at(last)) : nil }
end
if Sidekiq::Cron.respond_to?(:configuration)
  if Sidekiq::Cron.configuration.respond_to?(:available_namespaces=)
    Sidekiq::Cron.configuration.available_namespaces = %w[default billing]
  end
  last = now - (2 * HOUR)
  job = Sidekiq::Cron::Job.new('name' => 'spaced', 'cron' => '5 * * * *', 'class' => 'Report', 'namespace' => 'billing')
  job.save
  run(job, last)
  entries << { source: 'sidekiq-cron', name: 'billing:spaced', enabled: true, last: last,
               next: next_after('5 * * * *', Time.at(last)) }
end

instance = SidekiqScheduler::Scheduler.new(SidekiqScheduler::Config.new(without_defaults: true))
instance.enabled = true
SidekiqScheduler::Scheduler.instance = instance
Sidekiq.schedule = {
  'cron entry' => { 'cron' => '10 * * * *', 'class' => 'Report' },
  'every entry' => { 'every' => '90m', 'class' => 'Report', 'queue' => 'reports' },
  'every option' => { 'every' => ['30m', { first_in: '10s' }], 'class' => 'Report' },
  'switched off' => { 'cron' => '10 * * * *', 'class' => 'Report', 'enabled' => false },
  'switched off later' => { 'cron' => '10 * * * *', 'class' => 'Report' },
}
instance.load_schedule!
instance.toggle_job_enabled('switched off later')
SidekiqScheduler::RedisManager.set_job_last_time('cron entry', Time.at(now - (3 * HOUR)))
SidekiqScheduler::RedisManager.set_job_last_time('every entry', Time.at(now - (2 * HOUR)))
planned = ->(name) { Time.parse(SidekiqScheduler::RedisManager.get_job_next_time(name)).to_i }
SidekiqScheduler::RedisManager.set_job_next_time('every entry', Time.at(now - (HOUR / 2)))
entries.push(
  { source: 'sidekiq-scheduler', name: 'cron entry', enabled: true, last: now - (3 * HOUR),
    next: planned.call('cron entry') },
  { source: 'sidekiq-scheduler', name: 'every entry', enabled: true, last: now - (2 * HOUR), next: now - (HOUR / 2) },
  { source: 'sidekiq-scheduler', name: 'every option', enabled: true, last: nil,
    next: planned.call('every option') },
  { source: 'sidekiq-scheduler', name: 'switched off', enabled: false, last: nil, next: nil },
  { source: 'sidekiq-scheduler', name: 'switched off later', enabled: false, last: nil, next: nil }
)

# Lines of every form that fugit documents, each from some instants: what comes next, or nothing where fugit refuses it.
lines = %w[0 */7 5,35 10-50/20 *].product(%w[* 0 */6 8-17], ['*', '1', 'L', '*/10', '15,-1'],
                                          ['* *', '*/5 *', '* mon-fri', '* sun#L', '2 tue%2', '* 7'])
             .map { |fields| fields.join(' ') }
lines += ['@hourly', '@weekly', '@monthly', '@yearly', '@midnight', '0 9 * * * Asia/Kolkata', '30 2 * * * Europe/Berlin',
          '0 0 29 2 *', '0 0 31 * *', 'every day at five', 'every 15 minutes', '0 0 * * mon#1,mon#3', '5 0 * jan,jul *',
          '61 * * * *', '* * * *', '0 12 * * * *', '*/30 * * * * *', '0 0 * * 0-6', '0 22-2 * * *', '& * * * *']
instants = [now, 1_711_846_800, 1_729_990_800, 1_735_689_599]
schedules = lines.flat_map do |line|
  cron = Fugit.parse(line)
  instants.map { |at| { line: line, after: at, next: cron.is_a?(Fugit::Cron) ? cron.next_time(Time.at(at)).to_f.round : nil } }
end
puts JSON.generate(entries: entries, schedules: schedules)
