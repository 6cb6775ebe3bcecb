# Enqueues all day long: calm at night, busy at noon, in waves, and marks a deploy now and then.
require_relative "jobs"
require "securerandom"
require "sidekiq/deploy"

# Jobs per second at the mean of the day.
RATES = {
  TouchCustomerJob => 2.0,
  Events::IngestJob => 15.0,
  Invoices::FinalizeJob => 1.0,
  Payments::ChargeJob => 0.8,
  Webhooks::DeliverJob => 3.0,
  Exports::LongExportJob => 0.02
}.freeze
BILLING_RATE = 1.0
DEPLOY_EVERY = 900
STEP = 0.5
LOAD = ENV.fetch("LOAD", "1").to_f

Sidekiq.logger.level = Logger::WARN
running = true
%w[TERM INT].each { |signal| trap(signal) { running = false } }
deadline = ENV["PRODUCE_SECONDS"] && Time.now + ENV["PRODUCE_SECONDS"].to_f
next_deploy = Time.now + 60

# How many of a rate fall into one step, the fraction by chance.
def due(rate)
  amount = rate * LOAD * STEP
  amount.floor + (rand < amount % 1 ? 1 : 0)
end

while running && (deadline.nil? || Time.now < deadline)
  now = Time.now
  hour = now.utc.hour + now.utc.min / 60.0
  rhythm = 1 + 0.3 * Math.sin((hour - 6) / 24 * 2 * Math::PI) + 0.4 * Math.sin(now.to_f / 120)
  RATES.each do |job_class, rate|
    due(rate * rhythm).times do
      rand < 0.03 ? job_class.perform_in(rand(5..300), rand(100_000)) : job_class.perform_async(rand(100_000))
    end
  end
  due(BILLING_RATE * rhythm).times do
    ActiveJob::QueueAdapters::SidekiqAdapter::JobWrapper.enqueue(
      "BillCustomersJob", "billing", [{"_aj_globalid" => "gid://demo/Customer/#{rand(1000)}"}]
    )
  end
  if now >= next_deploy
    next_deploy = now + DEPLOY_EVERY
    Sidekiq::Deploy.mark!("#{SecureRandom.hex(4)} Release")
  end
  sleep STEP
end
