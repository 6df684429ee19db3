import flowc as flow

instances = flow.find_instances({"gpu_memory_gb": 80, "max_price": 20.0})
for found in instances[:5]:
    print(f"{found['instance_type']}: ${found['price_usd_per_hour']}/hr")
assert instances
(cheapest, *_) = flow.find_instances({"gpu_memory_gb": 80})
task = flow.run("true", instance_type=cheapest["instance_type"], region=cheapest["region"])
assert task.instance_type == cheapest["instance_type"]
task.cancel()
