# Which queue Sidekiq's own BasicFetch takes from, counted over many fetches: prints JSON for each case on stdin,
# {"mode", "queues": {name: weight}, "waiting": [names]}. The order of Array#shuffle is seeded.
require "json"
require "sidekiq"
require "sidekiq/fetch"

Capsule = Struct.new(:queues, :mode) do
  def config = self
end

srand(42)
cases = JSON.parse($stdin.read)
puts JSON.generate(cases.map { |each|
  queues = each["queues"].flat_map { |name, weight| [name] * [weight, 1].max }
  fetch = Sidekiq::BasicFetch.new(Capsule.new(queues, each["mode"].to_sym))
  waiting = each["waiting"].map { |name| "queue:#{name}" }
  taken = Hash.new(0)
  20_000.times { taken[(fetch.queues_cmd & waiting).first.delete_prefix("queue:")] += 1 }
  taken
})
