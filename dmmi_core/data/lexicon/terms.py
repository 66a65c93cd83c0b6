"""Terms by which people mention the categories of COCO, in the singular.

The keys are categories, the values terms, both joined by ", ". The categories' own names are added elsewhere.
"""

_ANIMALS = "bird, cat, dog, horse, sheep, cow, elephant, bear, zebra, giraffe"
_VEHICLES = "bicycle, car, motorcycle, airplane, bus, train, truck, boat"
_FOOD = "banana, apple, sandwich, orange, broccoli, carrot, hot dog, pizza, donut, cake"

SURE = {
    "person": (
        "man, woman, boy, girl, kid, child, baby, toddler, infant, adult, guy, lady, gentleman, dude, "
        "fella, teen, teenager, teenage boy, teenage girl, youth, youngster, human, folk, pedestrian, "
        "passenger, skater, skateboarder, snowboarder, skier, surfer, biker, cyclist, bicyclist, "
        "motorcyclist, rider, jockey, cowboy, cowgirl, player, batter, hitter, catcher, umpire, "
        "outfielder, infielder, referee, athlete, sportsman, runner, jogger, swimmer, worker, "
        "police officer, policeman, policewoman, officer, soldier, fireman, firefighter, chef, waiter, "
        "waitress, vendor, customer, shopper, businessman, businesswoman, student, teacher, doctor, "
        "nurse, mother, father, mom, dad, mum, son, daughter, brother, sister, wife, husband, bride, "
        "groom, grandmother, grandfather, grandma, grandpa, friend, spectator, onlooker, bystander, "
        "crowd, family, someone, somebody, farmer, tourist, fisherman, musician, guitarist, dancer, "
        "kiteboarder"
    ),
    "bicycle, motorcycle": "bike",
    "bicycle": "push bike, mountain bike, tricycle",
    "motorcycle": "motorbike, motor bike, moped, scooter, motor cycle, dirt bike, motor scooter",
    "car": "sedan, taxi, taxi cab, suv, jeep, automobile, police car, cop car, minivan, hatchback",
    "car, truck, bus": "van",
    "truck": (
        "pickup, pick up truck, pickup truck, fire truck, firetruck, fire engine, semi, lorry, "
        "food truck, tow truck, dump truck, trash truck, garbage truck"
    ),
    "airplane": (
        "plane, aeroplane, jet, jetliner, airliner, aircraft, air plane, jumbo jet, fighter jet, biplane"
    ),
    "bus": "double decker, double decker bus, school bus, city bus, tour bus, minibus",
    "train, bus": "tram, trolley, streetcar",
    "train": "locomotive, subway train, steam engine, passenger train",
    "boat": (
        "ship, sailboat, sail boat, canoe, kayak, yacht, ferry, rowboat, row boat, motorboat, speedboat, "
        "tugboat, gondola, raft, fishing boat, barge, dinghy"
    ),
    "traffic light": "stoplight, stop light, traffic signal",
    "fire hydrant": "hydrant, fire plug",
    "stop sign": "stopsign",
    "bench": "park bench, picnic bench",
    "bird": (
        "duck, goose, pigeon, seagull, sea gull, gull, parrot, eagle, owl, swan, hawk, sparrow, dove, "
        "crow, penguin, ostrich, flamingo, pelican, peacock, duckling, rooster, hen, robin, hummingbird, "
        "heron"
    ),
    "cat": "kitten, kitty, tabby, kitty cat",
    "dog": (
        "puppy, pup, doggy, doggie, hound, poodle, dachshund, labrador, bulldog, terrier, "
        "golden retriever, german shepherd, sheepdog, sheep dog, beagle, corgi, pug, dalmatian"
    ),
    "horse": "pony, foal, stallion, mare, colt, zorse",
    "sheep": "lamb, ram, ewe",
    "cow": "bull, cattle, steer, heifer, oxen, ox",
    "bear": "grizzly, grizzly bear, brown bear, black bear, polar bear, bear cub",
    "teddy bear": "teddy, teddybear, stuffed bear, stuffed teddy bear",
    "backpack": "back pack, rucksack, knapsack",
    "umbrella": "parasol",
    "handbag": "hand bag, purse, pocketbook",
    "tie": "necktie, neck tie, bow tie, bowtie",
    "suitcase": "suit case",
    "skis": "ski, pair of skis, set of skis",
    "snowboard": "snow board",
    "sports ball": "tennis ball, soccer ball, basket ball, foot ball, beach ball, volley ball, base ball",
    "frisbee": "frisby",
    "baseball glove": "baseball mitt, catcher s mitt, catchers mitt",
    "skateboard": "skate board, longboard",
    "surfboard": "surf board",
    "tennis racket": "tennis racquet, racket, racquet, tennis raquet",
    "bottle": "wine bottle, beer bottle, water bottle",
    "wine glass": "wineglass, glass of wine, goblet, champagne glass",
    "cup": "coffee cup, teacup, tea cup, mug, coffee mug",
    "bear, teddy bear": "bear",
    "sandwich": "hamburger, cheeseburger",
    "hot dog": "hotdog, chili dog",
    "pizza": "pizza pie, slice of pizza, pizza slice",
    "donut": "doughnut",
    "cake": "birthday cake, wedding cake, cupcake, cheesecake, slice of cake, piece of cake",
    "chair": "armchair, arm chair, recliner, rocking chair",
    "couch": "sofa, loveseat, love seat",
    "bed": "bunk bed",
    "toilet": "commode, toilet seat",
    "tv": (
        "television, tv set, tv screen, television set, flat screen tv, flat screen television, flat screen"
    ),
    "laptop": "laptop computer, lap top, lap top computer, macbook",
    "mouse": "computer mouse",
    "remote": "remote control, tv remote, wii remote, remote controller",
    "keyboard": "computer keyboard, key board",
    "cell phone": "cellphone, cellular phone, mobile phone, smartphone, smart phone, iphone",
    "microwave": "microwave oven",
    "oven": "stove, stovetop, stove top",
    "refrigerator": "fridge, refrigerator freezer",
    "clock": "alarm clock, wall clock, grandfather clock",
    "scissors": "pair of scissors, scissor, shears",
    "hair drier": "hair dryer, hairdryer, blow dryer, blowdryer",
    "toothbrush": "tooth brush",
}
"""Terms that mean one of the categories and nothing else: they are absent if the categories are."""

LOOSE = {
    "person": (
        "he, she, his, her, him, they, their, them, who, whose, everyone, everybody, anyone, couple, "
        "team, hand, arm, leg, foot, finger, face, head, hair, lap, male, female, pitcher, coach, "
        "driver, conductor, cook, police, guard, cop, army, audience, band, pair, trio, group, class, "
        "individual, figure, mannequin, statue, doll, selfie, portrait, captain, pilot, king, queen, "
        "model, clown, santa, twin, parade, wedding, riding, wearing, carrying, talking, posing, "
        "batting, pitching, cooking, reading"
    ),
    "person, snowboard": "snowboarding",
    "person, skis": "skiing",
    "person, skateboard": "skateboarding, skating",
    "person, surfboard": "surfing, surf",
    "person, bicycle": "biking, cycling, bicycling",
    "person, kite": "kiteboarding, kite boarding, para sailing, parasailing",
    "person, sports ball, tennis racket": "tennis",
    "person, sports ball, baseball bat, baseball glove": "baseball, softball",
    "person, sports ball": "soccer, football, basketball, volleyball, rugby, polo, ball, sport, game",
    "person, boat": "sailing, rowing, paddling, boating",
    "person, toothbrush": "brushing",
    "person, wine glass, cup, bottle": "drinking",
    "person, cell phone": "texting",
    _ANIMALS: "animal, creature, wildlife, herd, flock, pet, livestock, calf, cub, critter, beast, mammal",
    _ANIMALS + ", teddy bear": "stuffed animal, stuffed toy, plush, plush toy, toy, plushie",
    "sheep, cow": "goat",
    "bird, sandwich": "chicken, turkey",
    "horse, cow": "carriage, buggy, cart, wagon",
    _VEHICLES: "vehicle, traffic, transportation, transport, tire, wheel",
    "car, truck, bus, train": "cab, trailer, rv, camper, wagon, engine, convoy, coach, ambulance",
    "train, bus, car": "rail, track, station, trolley, subway, public transit",
    "airplane, kite": "glider, propeller, plane wing, helicopter, runway, airport, tarmac, flying",
    "boat, surfboard": (
        "vessel, jet ski, paddle, sail, mast, paddle board, paddleboard, boogie board, harbor, marina, dock"
    ),
    "bicycle, motorcycle": "cycle, bike rack",
    "traffic light": "light, signal, red light, green light, intersection",
    "stop sign": "sign, street sign, stop",
    "parking meter": "meter, parking",
    "bench, chair, couch": "seat, stool, seating, pew, bleacher, lounge, swing, ottoman",
    "chair, couch, bed, dining table, bench, potted plant": (
        "furniture, living room, dining room, room, patio"
    ),
    "bed, couch": "bedroom, blanket, pillow, mattress, bedspread, crib, cot, futon, hotel room, day bed",
    "dining table": (
        "table, desk, counter, countertop, counter top, nightstand, dining, kitchen table, island"
    ),
    "chair, dining table": "restaurant, cafe, diner",
    "oven, refrigerator, sink, microwave, toaster, dining table, bowl, cup": "kitchen, appliance, dish",
    "toilet, sink": "bathroom, restroom, washroom, urinal, bidet, lavatory, tub",
    "sink": "basin, faucet, washbasin",
    "oven, microwave": "burner, grill, range",
    "refrigerator": "freezer, cooler",
    "potted plant, vase": (
        "plant, flower, houseplant, bouquet, rose, tulip, floral, pot, flowerpot, shrub, pottery, fern, "
        "cactus, arrangement, lilies, daisies, sunflower, jar, urn, planter"
    ),
    "backpack, handbag, suitcase": (
        "bag, luggage, baggage, pack, tote, satchel, briefcase, duffel, duffle, trunk"
    ),
    "tie": "tie, tied, tying, suit, tuxedo",
    "frisbee": "disc, disk, disc golf",
    "skis, snowboard": "slope, ski lift, ski slope, board, ski pole, pole, ski resort",
    "surfboard, skateboard, snowboard": "board, boarder",
    "baseball bat": "bat",
    "baseball glove": "glove, mitt",
    "bottle, cup, wine glass": (
        "glass, drink, beverage, beer, wine, juice, soda, water glass, coke, milk, coffee, tea, "
        "cocktail, liquor, champagne, vase, pitcher, jug, shaker, ketchup, mustard, sauce, shampoo, "
        "lotion, container"
    ),
    "fork, knife, spoon": (
        "utensil, silverware, cutlery, chopstick, place setting, flatware, spatula, ladle, tong, eating"
    ),
    "bowl": (
        "salad, soup, cereal, plate, basket, platter, tray, stew, pan, oatmeal, noodle, rice, chili, saucer"
    ),
    _FOOD + ", bowl": (
        "food, meal, dinner, lunch, breakfast, snack, dessert, dish, cuisine, plate, buffet, bakery, "
        "baked goods, feast, market, grocery, topping, eat, eaten"
    ),
    "banana, apple, orange": "fruit, plantain, produce, pear, peach, fruit stand",
    "orange": "orange, tangerine, citrus, mandarin, clementine, lemon, lime, grapefruit",
    "broccoli, carrot": (
        "vegetable, veggie, salad, produce, green, cauliflower, asparagus, parsnip, stir fry, sprouts"
    ),
    "sandwich": "burger, sub, toast, bread, wrap, panini, bun, taco, burrito, bagel, gyro, roll, hoagie",
    "hot dog": "sausage, brat, wiener, frank, corn dog",
    "donut, cake": (
        "pastry, bun, sweet, muffin, pie, cookie, icing, frosting, baked, bagel, danish, tart, candle"
    ),
    "pizza": "slice, pie, flatbread, crust, pepperoni, calzone",
    "tv, laptop": (
        "screen, monitor, display, computer, desktop, desktop computer, computer screen, "
        "computer monitor, computer desk, television stand, electronics"
    ),
    "laptop, mouse, keyboard, tv": (
        "computer, workstation, office, computer equipment, electronic, pc, notebook, mac"
    ),
    "mouse": "mouse, mousepad, mouse pad",
    "remote": "remote, controller, wii, wiimote, nintendo, video game, controls",
    "keyboard": "piano, typing",
    "cell phone": "phone, telephone, mobile, device, camera, gadget, ipod, tablet, ipad",
    "toaster": "toaster oven",
    "book": "novel, magazine, notebook, textbook, bookshelf, bookcase, library, bookstore, paper, shelf",
    "clock": "watch, time, tower, clock tower, clocktower, timepiece, hands, steeple",
    "hair drier": "dryer, drier, drying",
    "toothbrush": "brush",
    "kite": "parachute, parasail, fly a kite",
    "umbrella": "canopy, awning, tent, shade",
}
"""Terms that may mean one of the categories: wider terms, words with a second meaning, and things that seldom
come without the category. They conflict with a category that is present, and prove nothing of an absent one.
"""

PARTITIVES = frozenset(
    """
    all assortment bowl bunch close closeup collection couple crowd each family five flock four
    group herd image kind line lot many number one pack pair part photo photograph picture piece pile
    plate row set several shot six slice some sort stack three two type up variety view
    """.split()  # noqa: SIM905
)
"""Words that, with "of", count or show what follows: "a group of"."""
