# Prints what prometheus_exporter and yabeda-sidekiq tell of the whole installation in a Redis: the former by its own
# collectors, the latter by the calls of Sidekiq's API that its README and source name. REDIS_URL names the database.
require "json"
require "socket"
require "sidekiq"
require "sidekiq/api"
require "prometheus_exporter"
require "prometheus_exporter/metric"
require "prometheus_exporter/client"
require "prometheus_exporter/instrumentation"
require "prometheus_exporter/server"

# Each process tells of itself; here one tells of each.
class EachProcess < PrometheusExporter::Instrumentation::SidekiqProcess
  def initialize(process) = @process = process
  def current_process = @process
end

server = PrometheusExporter::Server
take = ->(collector, *told) { told.each { |each| collector.collect(JSON.parse(JSON.dump(each))) } && collector.metrics.map(&:to_prometheus_text) }
texts = [
  take.(server::SidekiqStatsCollector.new, PrometheusExporter::Instrumentation::SidekiqStats.new.collect),
  take.(server::SidekiqQueueCollector.new, PrometheusExporter::Instrumentation::SidekiqQueue.new(all_queues: true).collect),
  take.(server::SidekiqProcessCollector.new, *Sidekiq::ProcessSet.new.map { |process| EachProcess.new(process).collect })
]
puts texts.flatten
stats = Sidekiq::Stats.new
puts stats.queues.map { |name, size| "sidekiq_jobs_waiting_count{queue=\"#{name}\"} #{size}" }
puts Sidekiq::Queue.all.map { |queue| "sidekiq_queue_latency{queue=\"#{queue.name}\"} #{queue.latency}" }
puts "sidekiq_active_workers_count #{stats.workers_size}"
puts "sidekiq_jobs_scheduled_count #{stats.scheduled_size}"
puts "sidekiq_jobs_retry_count #{stats.retry_size}"
puts "sidekiq_jobs_dead_count #{stats.dead_size}"
puts "sidekiq_active_processes #{stats.processes_size}"
