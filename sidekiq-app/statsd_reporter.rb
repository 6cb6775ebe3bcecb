# What Sidekiq Pro's middleware sends of each execution, for applications without Pro: the same names and tags.
class StatsdReporter
  include Sidekiq::ServerMiddleware

  def self.client
    @client ||= begin
      require "datadog/statsd"
      host, port = ENV.fetch("LAGO_SIDEKIQ_STATSD_ENDPOINT").split(":")
      Datadog::Statsd.new(host, port.to_i, namespace: "lago-api", tags: ["env:demo", "service:sidekiq"])
    end
  end

  def call(_instance, job, queue)
    tags = ["queue:#{queue}", "worker:#{job["wrapped"] || job["class"]}"]
    started_at = Process.clock_gettime(Process::CLOCK_MONOTONIC)
    yield
    statsd.increment("jobs.success", tags: tags)
  rescue => error
    statsd.increment("jobs.failure", tags: tags + ["error_type:#{error.class}"])
    raise
  ensure
    statsd.increment("jobs.count", tags: tags)
    milliseconds = (Process.clock_gettime(Process::CLOCK_MONOTONIC) - started_at) * 1000
    statsd.timing("jobs.perform", milliseconds.round(3), tags: tags)
    statsd.flush(sync: true)
  end

  private

  def statsd = self.class.client
end
