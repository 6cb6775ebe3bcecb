# One process of a worker type, chosen by WORKER: sidekiq -r ./worker.rb
require_relative "jobs"

# Queues and threads by capsule: an array is strict order, a hash has weights.
WORKER_TYPES = {
  "default" => {
    "default" => [8, %w[high_priority default invoices low_priority]],
    "long" => [2, %w[long_running]]
  },
  "billing" => {"default" => [5, {"billing" => 3, "payments" => 1}]},
  "events" => {"default" => [5, %w[events]]},
  "webhook" => {"default" => [4, %w[webhook_worker]]}
}.freeze

Sidekiq.configure_server do |config|
  config.logger.level = Logger::WARN
  WORKER_TYPES.fetch(ENV.fetch("WORKER", "default")).each do |name, (concurrency, queues)|
    config.capsule(name) do |capsule|
      capsule.concurrency = concurrency
      capsule.queues = queues.is_a?(Hash) ? queues.map { |queue, weight| "#{queue},#{weight}" } : queues
    end
  end
  if ENV["LAGO_SIDEKIQ_STATSD_ENDPOINT"]
    config.server_middleware { |chain| chain.add StatsdReporter }
  end
end
