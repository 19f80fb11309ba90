// Tests of hand-off and fairness count on the cores: one test at a time.
[assembly: CollectionBehavior(DisableTestParallelization = true)]
