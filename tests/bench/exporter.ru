# The Ruby exporter as its README starts it, for the comparison of tests/bench/scrape.ts.
require 'sidekiq'
require 'sidekiq/api'
require 'sidekiq/metrics/query'
require 'sidekiq/prometheus/exporter'

Sidekiq.configure_client do |config|
  config.redis = { url: ENV.fetch('REDIS_URL') }
  config.logger.level = Logger::ERROR
end

run Sidekiq::Prometheus::Exporter.to_app
