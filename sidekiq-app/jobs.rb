# The jobs of the demo application: what each does is to wait, and now and then to fail.
require "sidekiq"
require_relative "statsd_reporter"

# A job's usual duration in seconds and the share of its executions that fail.
WORK = {
  "TouchCustomerJob" => [0.02, 0.0],
  "Events::IngestJob" => [0.05, 0.002],
  "Invoices::FinalizeJob" => [0.6, 0.03],
  "Payments::ChargeJob" => [0.9, 0.08],
  "Webhooks::DeliverJob" => [0.3, 0.10],
  "Exports::LongExportJob" => [45.0, 0.1],
  "BillCustomersJob" => [0.4, 0.05]
}.freeze

class CardDeclined < StandardError; end

class HookRefused < StandardError; end

ERRORS = {
  "Payments::ChargeJob" => [CardDeclined, "Your card was declined"],
  "Webhooks::DeliverJob" => [HookRefused, "Connection refused by hooks.example.com"]
}.freeze

# Waits about the usual time of a class, a few executions much longer, then fails as often as the class does.
def work_as(job_class)
  seconds, failure_rate = WORK.fetch(job_class)
  sleep(seconds * (0.5 + rand) * (rand < 0.02 ? 5 : 1) * ENV.fetch("TIME_SCALE", "1").to_f)
  return unless rand < failure_rate

  error, message = ERRORS.fetch(job_class, [StandardError, "it did not work"])
  raise error, message
end

class TouchCustomerJob
  include Sidekiq::Job
  sidekiq_options queue: "low_priority", tags: ["crm"]
  def perform(_customer_id) = work_as(self.class.name)
end

module Events
  class IngestJob
    include Sidekiq::Job
    sidekiq_options queue: "events"
    def perform(_event_id) = work_as(self.class.name)
  end
end

module Invoices
  class FinalizeJob
    include Sidekiq::Job
    sidekiq_options queue: "invoices", retry: 5
    def perform(_invoice_id) = work_as(self.class.name)
  end
end

module Payments
  class ChargeJob
    include Sidekiq::Job
    # As in Lago: what fails is dead at once.
    sidekiq_options queue: "payments", retry: 0
    def perform(_payment_id) = work_as(self.class.name)
  end
end

module Webhooks
  class DeliverJob
    include Sidekiq::Job
    sidekiq_options queue: "webhook_worker", retry: 10
    def perform(_webhook_id) = work_as(self.class.name)
  end
end

module Exports
  class LongExportJob
    include Sidekiq::Job
    sidekiq_options queue: "long_running", retry: 1
    def perform(_export_id) = work_as(self.class.name)
  end
end

# ActiveJob's wrapper without Rails: the payload has its shape, and a failure is put into the schedule as retry_on does.
module ActiveJob
  module QueueAdapters
    class SidekiqAdapter
      class JobWrapper
        include Sidekiq::Job
        ATTEMPTS = 5

        def self.enqueue(job_class, queue, arguments, executions: 0, at: nil)
          data = {
            "job_class" => job_class,
            "job_id" => SecureRandom.uuid,
            "queue_name" => queue,
            "arguments" => arguments,
            "executions" => executions
          }
          item = {"class" => self, "wrapped" => job_class, "queue" => queue, "retry" => 0, "args" => [data]}
          item["at"] = at if at
          Sidekiq::Client.push(item)
        end

        def perform(data)
          work_as(data["job_class"])
        rescue
          executions = data["executions"] + 1
          raise if executions >= ATTEMPTS

          self.class.enqueue(data["job_class"], data["queue_name"], data["arguments"],
            executions: executions, at: Time.now.to_f + 10 * executions)
        end
      end
    end
  end
end
