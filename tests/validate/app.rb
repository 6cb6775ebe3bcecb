# The Sidekiq application of the validation: jobs that sleep, compute or do both for as long as they are told, and write down when
# they began. CAPSULES is JSON: [{"name", "concurrency", "queues": ["a,3", …]}]; the first is the default one.
require "json"
require "sidekiq"

CAPSULES = JSON.parse(ENV.fetch("CAPSULES", "[]"))

# Keeps when the attempt that runs was pushed: for the first one by the validation, for a retry by Sidekiq's poller.
class KeepsPushedAt
  include Sidekiq::ServerMiddleware

  def call(_job, payload, _queue)
    at = payload["enqueued_at"]
    # Milliseconds since Sidekiq 8.
    Thread.current[:pushed_at] = at > 100_000_000_000 ? at / 1000.0 : at
    yield
  end
end

Sidekiq.configure_server do |config|
  # The fetchers start right after it.
  config.on(:startup) { sleep [0, ENV.fetch("TAKES_FROM", "0").to_f - Time.now.to_f].max }
  config.server_middleware { |chain| chain.add KeepsPushedAt }
  config.logger.level = Logger::WARN
  first, *others = CAPSULES
  config.concurrency = first["concurrency"]
  config.queues = first["queues"]
  others.each do |each|
    config.capsule(each["name"]) do |capsule|
      capsule.concurrency = each["concurrency"]
      capsule.queues = each["queues"]
    end
  end
end

module Measured
  def self.included(job)
    job.include Sidekiq::Job
    job.sidekiq_retry_in { 15 }
  end

  def perform(seconds, queue, fails = false)
    pushed_at = Thread.current[:pushed_at]
    began = Time.now.to_f
    work(seconds)
    Sidekiq.redis { |redis| redis.call("RPUSH", "measured:#{queue}", "#{pushed_at} #{began} #{Time.now.to_f}") }
    raise "as told" if fails && rand < 0.7
  end
end

class SleepJob
  include Measured

  def work(seconds) = sleep(seconds)
end

class ComputeJob
  include Measured

  def work(seconds)
    until_at = Process.clock_gettime(Process::CLOCK_THREAD_CPUTIME_ID) + seconds
    Integer.sqrt(rand(1_000_000_000)) while Process.clock_gettime(Process::CLOCK_THREAD_CPUTIME_ID) < until_at
  end
end

# Computes and waits by turns, for as long each.
class MixedJob
  include Measured

  TURN = 0.02

  def work(seconds)
    left = seconds / 2
    while left > 0
      turn = [TURN, left].min
      until_at = Process.clock_gettime(Process::CLOCK_THREAD_CPUTIME_ID) + turn
      Integer.sqrt(rand(1_000_000_000)) while Process.clock_gettime(Process::CLOCK_THREAD_CPUTIME_ID) < until_at
      sleep(turn)
      left -= turn
    end
  end
end

# A class for each queue, as Sidekiq's job metrics know classes only.
%w[A B].each do |queue|
  Object.const_set("SleepJob#{queue}", Class.new(SleepJob))
  Object.const_set("ComputeJob#{queue}", Class.new(ComputeJob))
  Object.const_set("MixedJob#{queue}", Class.new(MixedJob))
end
