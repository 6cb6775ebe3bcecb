# Fills a Redis with locks by the gem that Ruby finds, and tells what the gem and Sidekiq say of them.
#
#   ruby locks.rb GEM    GEM is one of unique, throttled, activejob; REDIS_URL names an empty database
#
# It prints one JSON object: the keys of the database, and what the gem and Sidekiq's API said of them. The same file is
# the application of the Sidekiq process that it starts.
require "json"
require "sidekiq"
require "sidekiq/api"

GEM = ENV["LOCKS_GEM"] ||= ARGV.fetch(0)
case GEM
when "unique"
  require "sidekiq-unique-jobs"
  Sidekiq.configure_server do |config|
    config.client_middleware { |chain| chain.add SidekiqUniqueJobs::Middleware::Client }
    config.server_middleware { |chain| chain.add SidekiqUniqueJobs::Middleware::Server }
    # No reaper: what it would remove is what is looked for.
    SidekiqUniqueJobs.configure { |settings| settings.reaper = :none }
  end
  Sidekiq.configure_client do |config|
    config.client_middleware { |chain| chain.add SidekiqUniqueJobs::Middleware::Client }
  end
  SidekiqUniqueJobs.configure { |settings| settings.lock_info = true }

  class Invoice
    include Sidekiq::Worker
    sidekiq_options queue: "billing", lock: :until_executed
    def perform(*) = nil
  end

  class Report
    include Sidekiq::Worker
    sidekiq_options queue: "low", lock: :until_expired, lock_ttl: 7200
    def perform(*) = nil
  end

  class Sync
    include Sidekiq::Worker
    sidekiq_options queue: "default", lock: :while_executing, retry: 5
    def perform(*) = sleep(60)
  end

  class Import
    include Sidekiq::Worker
    sidekiq_options queue: "default", lock: :until_executed, retry: 5
    def perform(*) = raise("no connection")
  end

  # Dead jobs keep their lock where nothing tells the gem that they died.
  class Fatal
    include Sidekiq::Worker
    sidekiq_options queue: "default", lock: :until_executed, retry: 0
    def perform(*) = raise("bad data")
  end
when "throttled"
  require "sidekiq/throttled"
  Sidekiq::Throttled.setup! if Sidekiq::Throttled.respond_to?(:setup!)
  class Crawl
    include Sidekiq::Worker
    include(defined?(Sidekiq::Throttled::Job) ? Sidekiq::Throttled::Job : Sidekiq::Throttled::Worker)
    sidekiq_options queue: "default"
    sidekiq_throttle concurrency: {limit: 2}, threshold: {limit: 100, period: 3600}
    def perform(*) = sleep(60)
  end
when "activejob"
  require "active_job"
  require "sidekiq/job"
  module Sidekiq
    # As sidekiq/rails defines it, which wants Rails.
    module ActiveJob
      class Wrapper
        include Sidekiq::Job
        def perform(data) = ::ActiveJob::Base.execute(data.merge("provider_job_id" => jid))
      end
    end
  end
  require "active_job/queue_adapters/sidekiq_adapter"
  require "redlock"
  require "active_job/uniqueness"
  ActiveJob::Base.queue_adapter = :sidekiq
  ActiveJob::Base.logger = Logger.new(IO::NULL)
  ActiveJob::Uniqueness.configure { |config| config.redlock_servers = [ENV.fetch("REDIS_URL")] }
  class ClockJob < ActiveJob::Base
    queue_as :clock
    unique :until_executed, on_conflict: :log
    def perform(*) = nil
  end
  module Bills
    class RefreshJob < ActiveJob::Base
      queue_as :clock
      unique :until_executed, on_conflict: :log
      def perform(*) = nil
    end
  end
end

def value_of(conn, key, type)
  case type
  when "string" then conn.call("GET", key)
  when "list" then conn.call("LRANGE", key, 0, -1)
  when "set" then conn.call("SMEMBERS", key)
  when "hash" then conn.call("HGETALL", key).then { |all| all.is_a?(Hash) ? all : all.each_slice(2).to_h }
  when "zset" then conn.call("ZRANGE", key, 0, -1, "WITHSCORES").then { |all| all.flatten.each_slice(2).map { |member, score| [member, score.to_f] } }
  end
end

def dump
  Sidekiq.redis do |conn|
    conn.call("KEYS", "*").sort.reject { |key| key.start_with?("uniquejobs:changelog", "uniquejobs:reaper") }.map do |key|
      type = conn.call("TYPE", key)
      {key: key, type: type, pttl: conn.call("PTTL", key), value: value_of(conn, key, type)}
    end
  end
end

# Where Sidekiq's own API finds a job.
def place_of(jid)
  return "retry" if Sidekiq::RetrySet.new.find_job(jid)
  return "scheduled" if Sidekiq::ScheduledSet.new.find_job(jid)
  return "dead" if Sidekiq::DeadSet.new.find_job(jid)
  return "waiting" if Sidekiq::Queue.all.any? { |queue| queue.find_job(jid) }
  # Last, since a process writes what it runs every ten seconds only.
  running.include?(jid) ? "running" : "nowhere"
end

def running
  # Sidekiq 8 hands out objects where earlier versions hand out hashes.
  (defined?(Sidekiq::WorkSet) ? Sidekiq::WorkSet : Sidekiq::Workers).new.map do |_, _, work|
    payload = work.respond_to?(:job) ? work.job.item : work["payload"]
    (payload.is_a?(String) ? JSON.parse(payload) : payload)["jid"]
  end
end

def until_true(what)
  300.times { yield ? (return) : sleep(0.1) }
  raise "#{what} did not happen within 30 s"
end

def with_sidekiq(*queues)
  folder = File.dirname(Gem.find_files("sidekiq.rb").first || $LOADED_FEATURES.grep(%r{/sidekiq\.rb$}).first)
  command = ["ruby", "#{folder}/../bin/sidekiq", "-r", File.expand_path(__FILE__), "-c", "5", "-t", "1", *queues.flat_map { |queue| ["-q", queue] }]
  log = ENV["LOCKS_LOG"] || IO::NULL
  child = spawn(*command, out: log, err: log)
  yield
ensure
  Process.kill(:KILL, child)
  Process.wait(child)
end

if $PROGRAM_NAME == __FILE__
  told = {}
  case GEM
  when "unique"
    jids = {
      waiting: Invoice.perform_async(1),
      deleted: Invoice.perform_async(2),
      scheduled: Invoice.perform_in(86_400, 3),
      expiring: Report.perform_async("monthly"),
      running: Sync.perform_async(7),
      failing: Import.perform_async(1),
      fatal: Fatal.perform_async(1)
    }
    # A deploy or a person deletes the job; nobody tells the gem.
    Sidekiq.redis { |conn| conn.call("LRANGE", "queue:billing", 0, -1).each { |raw| conn.call("LREM", "queue:billing", 1, raw) if raw.include?(jids[:deleted]) } }
    with_sidekiq("default") do
      until_true("a run") { running.include?(jids[:running]) && Sidekiq::RetrySet.new.find_job(jids[:failing]) && Sidekiq::DeadSet.new.size == 1 }
      sets = [SidekiqUniqueJobs::Digests.new, defined?(SidekiqUniqueJobs::ExpiringDigests) ? SidekiqUniqueJobs::ExpiringDigests.new : nil].compact
      told[:locks] = sets.flat_map { |set| set.entries.map { |digest, score| [digest, score] } }.map do |digest, score|
        lock = SidekiqUniqueJobs::Lock.new(digest)
        {digest: digest, score: score, jids: lock.locked_jids, info: lock.info.value, places: lock.locked_jids.map { |jid| place_of(jid) }}
      end
      told[:keys] = dump
    end
    told[:version] = SidekiqUniqueJobs.version
  when "throttled"
    5.times { |index| Crawl.perform_async(index) }
    with_sidekiq("default") do
      until_true("two runs") { running.size == 2 }
      strategy = Sidekiq::Throttled::Registry.get("Crawl")
      told[:running] = running
      told[:concurrency] = strategy.concurrency.first.count
      told[:threshold] = strategy.threshold.first.count
      told[:keys] = dump
    end
    told[:version] = Sidekiq::Throttled::VERSION
  when "activejob"
    ClockJob.perform_later
    Bills::RefreshJob.perform_later
    ClockJob.perform_later
    Sidekiq.redis { |conn| conn.call("LRANGE", "queue:clock", 0, -1).each { |raw| conn.call("LREM", "queue:clock", 1, raw) if raw.include?("RefreshJob") } }
    told[:waiting] = Sidekiq::Queue.new("clock").map(&:display_class)
    told[:keys] = dump
    told[:version] = ActiveJob::Uniqueness::VERSION
  end
  told[:at] = Time.now.to_f
  told[:sidekiq] = Sidekiq::VERSION
  puts JSON.pretty_generate(told)
end
