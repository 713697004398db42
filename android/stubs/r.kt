package android

class R private constructor() {
    object layout {
        const val simple_list_item_1 = 1
    }
}
